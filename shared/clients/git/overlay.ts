import { DroverError } from '../../errors.ts'
import type { Change, TreeEntry } from '../../fleet.ts'
import { blobId, formatOf, inGitOrder, treeId } from './object-id.ts'
import { checkFolder, checkPath } from './path.ts'
import { type EntryTree, isFile, isFolder, splitPath } from './tree.ts'

/** A file as a change left it. */
export interface Written {
  mode: string
  oid: string
  content: string
}

/** A tree with changes that are not committed yet. */
export interface Overlay extends EntryTree {
  readonly changed: ReadonlyMap<string, Written | null>
}

/** What a change set does to a tree: the changes that count, and the tree that they lead to. */
export interface Applied {
  tree: Overlay
  /** Only what differs from before; empty when the tree stays as it was. */
  effective: ReadonlyMap<string, Written | null>
}

/** The tree, with nothing changed so far. */
export function overlayOf(base: EntryTree): Overlay {
  return view(base, new Map(), new Map())
}

/** Puts a change set on top; throws, and changes nothing, when a path is bad or a link, submodule or folder is in its way. */
export async function apply(tree: Overlay, base: EntryTree, changes: readonly Change[]): Promise<Applied> {
  const changed = new Map(tree.changed)
  const children = childrenOf(changed.keys())
  const next = view(base, changed, children)
  const effective = new Map<string, Written | null>()
  const record = (path: string, written: Written | null) => {
    changed.set(path, written)
    effective.set(path, written)
    addChild(children, path)
  }
  // Removals first, so that a file may give way to a folder of the same name within one change set.
  const last = [...new Map(changes.map((change) => [change.path, change.content]))]
  for (const [path, content] of last.sort((one, other) => Number(one[1] !== null) - Number(other[1] !== null))) {
    const before = await entryInReach(next, path)
    if (content === null) {
      if (before) record(path, null)
      continue
    }
    const oid = blobId(content, formatOf(base.revision))
    if (before?.oid !== oid) record(path, { mode: before?.mode ?? '100644', oid, content })
  }
  return { tree: next, effective }
}

/** The file at the path, or undefined; throws when something other than a folder leads there or a file is not what is there. */
async function entryInReach(tree: EntryTree, path: string): Promise<TreeEntry | undefined> {
  checkPath(path)
  for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
    const parent = path.slice(0, slash)
    const entry = await tree.entry(parent)
    if (entry === undefined) break
    if (!isFolder(entry)) throw inTheWay(path, parent, entry)
  }
  const entry = await tree.entry(path)
  if (entry !== undefined && !isFile(entry)) throw inTheWay(path, path, entry)
  return entry
}

function inTheWay(path: string, at: string, entry: TreeEntry): DroverError {
  const kinds: Record<string, string> = { '120000': 'a symbolic link', '160000': 'a submodule', '040000': 'a folder' }
  const kind = kinds[entry.mode] ?? 'a file'
  const wanted = at === path ? 'a file' : 'a folder'
  return new DroverError(
    'refused',
    `Cannot change "${path}" in the fleet repository: "${at}" is ${kind}, ${wanted} was expected`,
  )
}

type Children = Map<string, Set<string>>

function childrenOf(paths: Iterable<string>): Children {
  const children: Children = new Map()
  for (const path of paths) addChild(children, path)
  return children
}

function addChild(children: Children, path: string): void {
  const { folder, name } = splitPath(path)
  const names = children.get(folder)
  if (names?.has(name)) return
  children.set(folder, (names ?? new Set()).add(name))
  if (folder !== '') addChild(children, folder)
}

function view(base: EntryTree, changed: ReadonlyMap<string, Written | null>, children: Children): Overlay {
  const entry = async (path: string): Promise<TreeEntry | undefined> => {
    const { name } = splitPath(path)
    const written = changed.get(path)
    if (written) return { name, mode: written.mode, oid: written.oid }
    if (children.has(path)) {
      const entries = await list(path)
      if (entries.length > 0) return { name, mode: '040000', oid: treeId(entries, formatOf(base.revision)) }
      return undefined
    }
    return written === null ? undefined : base.entry(path)
  }
  const list = async (folder: string): Promise<TreeEntry[]> => {
    checkFolder(folder)
    const names = children.get(folder)
    const before = await base.list(folder)
    if (names === undefined) return before
    const now = await Promise.all([...names].map((name) => entry(folder === '' ? name : `${folder}/${name}`)))
    return inGitOrder([...before.filter(({ name }) => !names.has(name)), ...now.filter((one) => one !== undefined)])
  }
  const read = async (path: string): Promise<string | undefined> => {
    const written = changed.get(path)
    return written === undefined ? base.read(path) : written?.content
  }
  const oid = async (path: string): Promise<string | undefined> => {
    const written = changed.get(path)
    return written === undefined ? base.oid(path) : written?.oid
  }
  const blob = async (id: string): Promise<string> => {
    for (const written of changed.values()) if (written?.oid === id) return written.content
    return base.blob(id)
  }
  return { revision: base.revision, changed, entry, list, read, oid, blob }
}
