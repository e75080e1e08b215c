import { DroverError, messageOf } from '../../errors.ts'
import type { Transaction } from '../../fleet.ts'
import type { Clone, Tip } from './clone.ts'
import { toMessage } from './message.ts'
import { type NewCommit, type Signature, toObjects } from './new-objects.ts'
import { NO_COMMIT } from './object-id.ts'
import { type Overlay, overlayOf } from './overlay.ts'
import type { EntryTree } from './tree.ts'
import { begin } from './under-way.ts'

/** What one transaction came to, on a certain base: a commit, nothing to change, or an error of its own. */
export type Verdict =
  | { kind: 'commit'; value: unknown; commit: NewCommit }
  | { kind: 'nothing'; value: unknown }
  | { kind: 'error'; error: unknown }

/** The verdicts of a whole batch, in its order, and the ids of the commits that were written for it. */
export interface Plan {
  base: Tip
  verdicts: readonly Verdict[]
  commits: readonly string[]
  /** Which of the clones they were written into. */
  remakes: number
}

/** How one transaction ended, once its plan has become true. */
export type Ending = { revision: string; created: boolean; value: unknown } | { error: unknown }

/** Decides the transactions one after the other, each on top of what those before it changed. */
export async function decideAll(base: EntryTree, transactions: readonly Transaction<unknown>[]): Promise<Verdict[]> {
  await readAhead(base, transactions)
  const overlay = overlayOf(base)
  const verdicts: Verdict[] = []
  for (const transaction of transactions) {
    const verdict = await decideOne(overlay, transaction)
    if (verdict.kind === 'commit') begin(overlay.tree, transaction.trailers)
    verdicts.push(verdict)
  }
  return verdicts
}

/** A partial clone would fetch file by file what is read one after the other. What cannot be read shows where it matters. */
async function readAhead(base: EntryTree, transactions: readonly Transaction<unknown>[]): Promise<void> {
  const paths = new Set(transactions.flatMap(({ reads = [] }) => reads))
  if (paths.size > 1) await Promise.allSettled([...paths].map((path) => base.read(path)))
}

async function decideOne(overlay: Overlay, { subject, trailers, decide }: Transaction<unknown>): Promise<Verdict> {
  try {
    const answer = await decide(overlay.tree)
    const changes = 'nothing' in answer ? new Map() : await overlay.apply(answer.changes)
    if (changes.size === 0 && !('mark' in answer)) return { kind: 'nothing', value: answer.value }
    const title = ('subject' in answer ? answer.subject : undefined) ?? subject
    return { kind: 'commit', value: answer.value, commit: { message: toMessage(title, trailers), changes } }
  } catch (error) {
    return { kind: 'error', error }
  }
}

/** Writes the commits into the clone, where nobody sees them yet, and answers with their ids. */
export async function writeCommits(
  clone: Clone,
  base: EntryTree,
  parent: string | undefined,
  commits: readonly NewCommit[],
  by: { author: Signature; seconds: number },
): Promise<string[]> {
  if (commits.length === 0) return []
  const made = await toObjects(commits, base, parent, by)
  try {
    await clone.write(made)
  } catch (error) {
    await clone.remake(messageOf(error))
    throw new DroverError('busy', 'Cannot write the commits: the local clone was damaged', { cause: error })
  }
  return made.commits
}

/** What each transaction gets to hear when the plan has become true. */
export function toEndings({ base, verdicts, commits }: Plan): Ending[] {
  let revision = base.commit ?? NO_COMMIT
  let made = 0
  return verdicts.map((verdict) => {
    if (verdict.kind === 'error') return { error: verdict.error }
    const created = verdict.kind === 'commit'
    if (created) revision = commits[made++] ?? revision
    return { revision, created, value: verdict.value }
  })
}
