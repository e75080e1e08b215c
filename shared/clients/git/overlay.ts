import { blobId } from '../../blob-id.ts'
import { DroverError } from '../../errors.ts'
import type { Change, TreeEntry } from '../../fleet.ts'
import { inGitOrder, treeId } from './object-id.ts'
import { checkFolder, checkPath } from './path.ts'
import { type EntryTree, isFile, isFolder, splitPath } from './tree.ts'

/** A file as a change left it. */
export interface Written {
  mode: string
  oid: string
  content: string
}

/** A tree with changes that are not committed yet. */
export interface Overlay {
  /** The tree as it is with all changes so far. */
  readonly tree: EntryTree
  /**
   * Puts a change set on top and answers what differs from before, which may be nothing. Throws, and changes nothing,
   * when a path is bad or when a link, a submodule or a folder is in its way.
   */
  apply(changes: readonly Change[]): Promise<ReadonlyMap<string, Written | null>>
}

/** Begins with nothing changed. */
export function overlayOf(base: EntryTree): Overlay {
  const state: State = { changed: new Map(), children: new Map() }
  const tree = view(base, state)
  const apply = async (changes: readonly Change[]): Promise<ReadonlyMap<string, Written | null>> => {
    const before = new Map<string, Written | null | undefined>()
    const effective = new Map<string, Written | null>()
    try {
      for (const [path, content] of inOrder(changes)) {
        const written = await toWritten(state, tree, path, content)
        if (written === undefined) continue
        before.set(path, state.changed.get(path))
        effective.set(path, written)
        state.changed.set(path, written)
        addChild(state.children, path)
      }
    } catch (error) {
      for (const [path, written] of before) restore(state.changed, path, written)
      throw error
    }
    return effective
  }
  return { tree, apply }
}

interface State {
  changed: Map<string, Written | null>
  /** Which names in which folder were touched; a name too many does no harm. */
  children: Map<string, Set<string>>
}

/** The last word for each path; removals first, so that a file may give way to a folder within one change set. */
function inOrder(changes: readonly Change[]): [string, string | null][] {
  const last = new Map(changes.map(({ path, content }) => [path, content]))
  return [...last].sort(([, one], [, other]) => Number(one !== null) - Number(other !== null))
}

/** What a change makes of a path, or undefined when it makes no difference. */
async function toWritten(
  state: State,
  tree: EntryTree,
  path: string,
  content: string | null,
): Promise<Written | null | undefined> {
  const before = await fileInReach(state, tree, path)
  if (content === null) return before ? null : undefined
  const oid = blobId(content)
  return before?.oid === oid ? undefined : { mode: before?.mode ?? '100644', oid, content }
}

function restore(changed: State['changed'], path: string, written: Written | null | undefined): void {
  if (written === undefined) changed.delete(path)
  else changed.set(path, written)
}

/** The file at the path, or undefined; throws when something other than a folder leads there or a file is not what is there. */
async function fileInReach(state: State, tree: EntryTree, path: string): Promise<TreeEntry | undefined> {
  checkPath(path)
  for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
    const parent = path.slice(0, slash)
    // A folder with something new in it needs no look at all that it holds.
    if (hasNewFile(state, parent)) continue
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

/** Whether something was written below this folder; not looking deep, for it is asked again and again. */
function hasNewFile({ changed, children }: State, folder: string): boolean {
  for (const name of children.get(folder) ?? []) {
    const path = `${folder}/${name}`
    if (changed.get(path) || hasNewFile({ changed, children }, path)) return true
  }
  return false
}

function addChild(children: State['children'], path: string): void {
  const { folder, name } = splitPath(path)
  const names = children.get(folder)
  if (names?.has(name)) return
  children.set(folder, (names ?? new Set()).add(name))
  if (folder !== '') addChild(children, folder)
}

function view(base: EntryTree, { changed, children }: State): EntryTree {
  const entry = async (path: string): Promise<TreeEntry | undefined> => {
    const { name } = splitPath(path)
    const written = changed.get(path)
    if (written) return { name, mode: written.mode, oid: written.oid }
    if (children.has(path)) {
      const entries = await list(path)
      if (entries.length > 0) return { name, mode: '040000', oid: treeId(entries) }
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
  return { revision: base.revision, entry, list, read, oid, blob }
}
