/**
 * What the rest of Drover sees of the fleet repository. `clients/git.ts` has it in Git, `draft.ts` in memory on top of
 * that; steps and pure rooms import this file alone, so they can be tested with a tree held in memory.
 */

/** One entry of a folder: `mode` is Git's, e.g. '100644' (file), '040000' (folder), '120000' (symbolic link). */
export interface TreeEntry {
  name: string
  mode: string
  oid: string
}

/** The repository's files as of one commit. Paths are relative, with forward slashes, and never begin or end with one. */
export interface Tree {
  /** The commit that is read. */
  readonly revision: string
  /** The text of a file, or undefined when there is none. */
  read(path: string): Promise<string | undefined>
  /** The blob id of a file, or undefined when there is none. */
  oid(path: string): Promise<string | undefined>
  /** The text of a blob by its id, whether or not the tree still has it. */
  blob(oid: string): Promise<string>
  /** What a folder holds, in Git's order; nothing when there is no such folder. */
  list(folder: string): Promise<TreeEntry[]>
}

/** New content for a path, or null to remove it. A removal of what is not there changes nothing. */
export interface Change {
  path: string
  content: string | null
}

/** Who made a commit and why; written as trailers, so `git log` is the audit trail. */
export interface CommitTrailers {
  run: string
  step: string
  lifecycle: string
  requester: string
}

/**
 * Looks at the newest tree and says what to change. It is called again, with a newer tree, whenever somebody else's
 * commit got in first, so it must derive everything from the tree it is given. `nothing` means that the wanted state
 * is already there (the second delivery of an event); throwing leaves the repository as it was. With `mark` a commit is
 * made even where nothing changes: its trailers alone are what is wanted.
 */
export type Decide<T> = (
  tree: Tree,
) => Promise<{ changes: Change[]; value: T; subject?: string; mark?: true } | { nothing: true; value: T }>

/** Says that nothing is to be changed. */
export const nothing = <T>(value: T) => ({ nothing: true, value }) as const

export interface Transaction<T> {
  /** The commit's first line, unless `decide` knows a better one. */
  subject: string
  trailers: CommitTrailers
  decide: Decide<T>
  /** Files that `decide` is sure to read: those of all transactions that are pending together are fetched at once. */
  reads?: readonly string[]
}

export interface Committed<T> {
  /** The commit that was made, or the newest commit when there was nothing to change. */
  revision: string
  /** False when `decide` found nothing to change. */
  created: boolean
  value: T
}

export interface Fleet {
  /** The newest tree, never older than the call. */
  head(): Promise<Tree>
  /**
   * Makes one commit of what `decide` answers, on top of whatever is newest, and pushes it. Transactions that are
   * pending together are pushed together, each as its own commit; the later ones see what the earlier ones changed.
   * When the push went through but its answer was lost, the commit is found again and not made twice.
   */
  transact<T>(transaction: Transaction<T>): Promise<Committed<T>>
  /**
   * The commit that a run made for a step, looked for among the commits since then (RFC 3339), however many: in the
   * history of a tree (inside a transaction), or of the newest one. One that goes with the same push has no id yet: that of
   * the tree stands for it.
   */
  find(run: string, step: string, since: string, tree?: Tree): Promise<string | undefined>
  /** Ends what the client holds: its child processes. */
  close(): Promise<void>
}
