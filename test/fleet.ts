import { createHash } from 'node:crypto'
import { blobId } from '../shared/blob-id.ts'
import { toMessage } from '../shared/clients/git/message.ts'
import { checkObjectId, inGitOrder, treeId } from '../shared/clients/git/object-id.ts'
import { overlayOf } from '../shared/clients/git/overlay.ts'
import { checkFolder, checkPath } from '../shared/clients/git/path.ts'
import type { EntryTree } from '../shared/clients/git/tree.ts'
import { DroverError } from '../shared/errors.ts'
import { mostBytes, tooLarge } from '../shared/file-size.ts'
import type { CommitTrailers, Committed, Fleet, Transaction, TreeEntry } from '../shared/fleet.ts'

export interface MemoryCommit {
  revision: string
  subject: string
  message: string
  trailers: CommitTrailers
  /** What the commit changed; null is a removal. */
  changes: Record<string, string | null>
}

export interface MemoryFleet extends Fleet {
  files(): Promise<Record<string, string>>
  /** The commits made through `transact`, oldest first. */
  readonly commits: readonly MemoryCommit[]
  /** Lets somebody else commit this right after the next `decide`, which is therefore asked again. */
  interfere(changes: Record<string, string | null>): void
  /** Somebody else's commit, at once. */
  put(changes: Record<string, string | null>): void
}

/** A fleet repository held in memory, with the rules of the real one. */
export function memoryFleet(files: Record<string, string> = {}): MemoryFleet {
  let content = new Map(Object.entries(files))
  let revision = nextRevision('', content)
  let last: Promise<unknown> = Promise.resolve()
  const commits: MemoryCommit[] = []
  const interferences: Record<string, string | null>[] = []

  const blobs = new Map<string, string>()
  const treeNow = () => {
    for (const text of content.values()) blobs.set(blobId(text), text)
    return treeOf(revision, content, blobs)
  }
  const put = (changes: Record<string, string | null>) => {
    treeNow()
    content = changed(content, Object.entries(changes))
    revision = nextRevision(revision, content)
  }
  const attempt = async <T>({ subject, trailers, decide }: Transaction<T>): Promise<Committed<T> | undefined> => {
    const base = treeNow()
    const answer = await decide(base)
    const effective = await overlayOf(base).apply('nothing' in answer ? [] : answer.changes)
    const interference = interferences.shift()
    if (interference) {
      put(interference)
      return undefined
    }
    if (effective.size === 0 && !('mark' in answer)) return { revision, created: false, value: answer.value }
    const changes = [...effective].map(([path, written]) => [path, written?.content ?? null] as const)
    put(Object.fromEntries(changes))
    const title = ('subject' in answer ? answer.subject : undefined) ?? subject
    commits.push({
      revision,
      subject: title,
      message: toMessage(title, trailers),
      trailers,
      changes: Object.fromEntries(changes),
    })
    return { revision, created: true, value: answer.value }
  }
  const transactNow = async <T>(transaction: Transaction<T>): Promise<Committed<T>> => {
    for (;;) {
      const committed = await attempt(transaction)
      if (committed) return committed
    }
  }
  return {
    head: async () => treeNow(),
    transact: (transaction) => {
      const run = last.then(() => transactNow(transaction))
      last = run.catch(() => undefined)
      return run
    },
    find: async (run, step) =>
      commits.findLast(({ trailers }) => trailers.run === run && trailers.step === step)?.revision,
    close: async () => undefined,
    files: async () => Object.fromEntries([...content].sort(([one], [other]) => (one < other ? -1 : 1))),
    commits,
    interfere: (changes) => interferences.push(changes),
    put,
  }
}

function changed(
  content: ReadonlyMap<string, string>,
  changes: Iterable<readonly [string, string | null]>,
): Map<string, string> {
  const next = new Map(content)
  for (const [path, text] of changes) {
    if (text === null) next.delete(path)
    else next.set(path, text)
  }
  return next
}

function nextRevision(before: string, content: ReadonlyMap<string, string>): string {
  return createHash('sha1')
    .update(JSON.stringify([before, [...content]]))
    .digest('hex')
}

function treeOf(revision: string, content: ReadonlyMap<string, string>, blobs: ReadonlyMap<string, string>): EntryTree {
  const entry = (path: string): TreeEntry | undefined => {
    const name = path.slice(path.lastIndexOf('/') + 1)
    const text = content.get(path)
    if (text !== undefined) return { name, mode: '100644', oid: blobId(text) }
    const entries = list(path)
    return entries.length > 0 ? { name, mode: '040000', oid: treeId(entries) } : undefined
  }
  const list = (folder: string): TreeEntry[] => {
    const start = folder === '' ? '' : `${folder}/`
    const below = [...content.keys()].filter((path) => path.startsWith(start))
    const names = new Set(below.map((path) => path.slice(start.length).split('/', 1)[0] ?? ''))
    return inGitOrder([...names].flatMap((name) => entry(start + name) ?? []))
  }
  return {
    revision,
    entry: async (path) => {
      checkPath(path)
      return entry(path)
    },
    read: async (path) => {
      checkPath(path)
      const text = content.get(path)
      if (text !== undefined && Buffer.byteLength(text) > mostBytes) throw tooLarge(path, Buffer.byteLength(text))
      return text
    },
    oid: async (path) => {
      checkPath(path)
      const text = content.get(path)
      return text === undefined ? undefined : blobId(text)
    },
    blob: async (oid) => {
      checkObjectId(oid)
      const text = blobs.get(oid)
      if (text === undefined)
        throw new DroverError('busy', `Cannot read the fleet repository: the object ${oid} is missing`)
      return text
    },
    list: async (folder) => {
      checkFolder(folder)
      return list(folder)
    },
  }
}
