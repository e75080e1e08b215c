import { createHash } from 'node:crypto'
import { blobId } from '../../shared/blob-id.ts'
import type { Change, Committed, Fleet, Transaction, Tree, TreeEntry } from '../../shared/fleet.ts'

/** A fleet repository as a value, so that a moment can be gone back to: its files, and which run has committed which step. */
export interface Repository {
  files: ReadonlyMap<string, string>
  /** `<run> <step>`. */
  steps: ReadonlySet<string>
}

/** A commit with what was there before it. */
export interface Commit {
  run: string
  step: string
  subject: string
  paths: string[]
  before: Repository
  after: Repository
}

/** The process ends here: what it has pushed is in Git, and nobody hears of it. */
export class Crash extends Error {}

export interface Session {
  fleet: Fleet
  commits: Commit[]
  now(): Repository
}

export interface Conditions {
  /** The commit after whose push the process ends. */
  crashAfter?: number
  /** What a step gets to see of a tree. */
  see?: (tree: Tree) => Tree
}

/** Texts by their blob id, of all repositories. */
const texts = new Map<string, string>()
const ids = new Map<string, string>()

function idOf(text: string): string {
  const known = ids.get(text)
  if (known !== undefined) return known
  const id = blobId(text)
  ids.set(text, id)
  texts.set(id, text)
  return id
}

export const textOf = (id: string): string => texts.get(id) ?? ''

/** A fleet that begins as a repository was, with the rules of the real one; nothing of it outlives one delivery. */
export function sessionOn(start: Repository, { crashAfter, see = (tree) => tree }: Conditions = {}): Session {
  let now = start
  const commits: Commit[] = []
  const head = () => see(treeOf(now))

  async function transact<T>({ subject, trailers, decide }: Transaction<T>): Promise<Committed<T>> {
    if (commits.length === crashAfter) throw new Crash()
    const answer = await decide(head())
    const changes = 'nothing' in answer ? [] : effective(now, answer.changes)
    if (changes.length === 0 && !('mark' in answer))
      return { revision: revisionOf('', ''), created: false, value: answer.value }
    const before = now
    now = apply(now, changes, `${trailers.run} ${trailers.step}`)
    const title = ('subject' in answer ? answer.subject : undefined) ?? subject
    const paths = changes.map(({ path }) => path)
    commits.push({ run: trailers.run, step: trailers.step, subject: title, paths, before, after: now })
    if (commits.length === crashAfter) throw new Crash()
    return { revision: revisionOf(trailers.run, trailers.step), created: true, value: answer.value }
  }

  const fleet: Fleet = {
    head: async () => head(),
    transact,
    find: async (run, step) => (now.steps.has(`${run} ${step}`) ? revisionOf(run, step) : undefined),
    close: async () => undefined,
  }
  return { fleet, commits, now: () => now }
}

/** Of run and step alone: two ways to the same files are the same state. */
const revisionOf = (run: string, step: string) => createHash('sha1').update(`${run} ${step}`).digest('hex')

/** The last word for each path, where it changes something. */
function effective({ files }: Repository, changes: readonly Change[]): Change[] {
  const last = new Map(changes.map(({ path, content }) => [path, content]))
  return [...last]
    .filter(([path, content]) => (files.get(path) ?? null) !== content)
    .map(([path, content]) => ({ path, content }))
}

function apply({ files, steps }: Repository, changes: readonly Change[], step: string): Repository {
  const next = new Map(files)
  for (const { path, content } of changes) {
    if (content === null) next.delete(path)
    else next.set(path, content)
  }
  return { files: next, steps: new Set([...steps, step]) }
}

export function treeOf({ files }: Repository): Tree {
  const oid = (path: string) => {
    const text = files.get(path)
    return text === undefined ? undefined : idOf(text)
  }
  return {
    revision: revisionOf('', ''),
    read: async (path) => files.get(path),
    oid: async (path) => oid(path),
    blob: async (id) => textOf(id),
    list: async (folder) => listed(files, `${folder}/`, oid),
  }
}

function listed(files: Repository['files'], start: string, oid: (path: string) => string | undefined): TreeEntry[] {
  const entries = new Map<string, TreeEntry>()
  for (const path of files.keys()) {
    if (!path.startsWith(start)) continue
    const [name = '', ...deeper] = path.slice(start.length).split('/')
    const isFile = deeper.length === 0
    entries.set(name, { name, mode: isFile ? '100644' : '040000', oid: isFile ? (oid(path) ?? '') : '' })
  }
  return [...entries.values()].sort((one, other) => (one.name < other.name ? -1 : 1))
}
