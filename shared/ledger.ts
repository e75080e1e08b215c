import { blobId } from './blob-id.ts'
import type { Change, CommitTrailers, Tree } from './fleet.ts'
import type { LifecycleName } from './lifecycles.ts'
import { isKeptNote, isShared, runFile } from './paths.ts'
import type { ExpectedChange, Facts, Failure, Run } from './step.ts'
import { parseYaml, toYaml } from './yaml.ts'

/**
 * The record of a run in flight, `runs/<run>.yaml`. The run's first commit makes it, each commit brings it up to date,
 * the last one removes it. It holds what an undo needs and what a person wants to know; never a secret. While it is
 * there the run is in flight; an event of a run that has no record any more comes too late and changes nothing.
 */
export interface RunRecord {
  run: string
  lifecycle: LifecycleName
  state: 'running' | 'undoing' | 'stranded'
  /** The task whose commit came last. */
  task: string
  requester: string
  since: string
  /** When the run, or its undo, must have ended. */
  deadline: string
  /** When it was last heard of: its last commit, or the last time that it was made to go on. */
  at: string
  /** How often it was made to go on since its last commit. */
  resumed?: number
  marks?: Run['marks']
  /** Since its undo began: why. */
  failure?: Failure
  /** In the undo of a change to a machine that there is: how far it has got. */
  stage?: Stage
  /** When it is stranded: what a person must look at. */
  message?: string
  request: Run['request']
  facts: Facts
  /**
   * Each path the run wrote: the blob that was there before and the one that it wrote; null is 'no file'. `edited` where somebody
   * else has changed it in between: what was there before would take that back too.
   */
  wrote: Record<string, { before: string | null; after: string | null; edited?: true }>
}

/**
 * The stages of such an undo, in their order: the machine off, a snapshot of what its guest has written since, its disks put back,
 * its definition put back.
 */
export const stages = ['off', 'keep', 'disks', 'back'] as const
export type Stage = (typeof stages)[number]

/** The record of a run, or undefined when it has not begun to write or has ended. */
export async function readRecord(tree: Tree, run: string): Promise<RunRecord | undefined> {
  const text = await tree.read(runFile(run))
  return text === undefined ? undefined : (parseYaml(text, `the record of run ${run}`) as RunRecord)
}

/** The blob id of a change's content; null where there is to be no file. */
export const idOf = (content: string | null): string | null => (content === null ? null : blobId(content))

/** The changes of a task together with the record of them, to be made in one commit. */
export async function recorded(tree: Tree, run: Run, facts: Facts, changes: readonly Change[]): Promise<Change[]> {
  const record = await readRecord(tree, run.id)
  const wrote = await wroteAfter(tree, record, changes)
  const next: RunRecord = {
    run: run.id,
    lifecycle: run.lifecycle,
    state: 'running',
    task: run.task,
    requester: run.requester,
    // A request that is posted twice has two deadlines; the first one counts.
    since: record?.since ?? run.since,
    deadline: record?.deadline ?? run.deadline,
    at: run.at,
    ...(Object.keys(run.marks).length > 0 ? { marks: run.marks } : {}),
    request: run.request,
    // The manifests are in Git already; the definition would double them.
    facts: withoutDefinition(facts),
    wrote,
  }
  return [...changes, { path: runFile(run.id), content: toYaml(next) }]
}

/** What a run has written once it has made these changes too. */
async function wroteAfter(tree: Tree, record: RunRecord | undefined, changes: readonly Change[]) {
  const wrote = { ...record?.wrote }
  for (const { path, content } of changes) {
    if (isShared(path)) continue
    const now = (await tree.oid(path)) ?? null
    const { before, after, edited } = wrote[path] ?? { before: now, after: now }
    const isEdited = edited || now !== after
    wrote[path] = { before, after: idOf(content), ...(isEdited && { edited: true }) }
  }
  return wrote
}

/** The changes of a stage of an undo together with the record of them, to be made in one commit. */
export async function recordedStage(
  tree: Tree,
  record: RunRecord,
  stage: Stage,
  changes: readonly Change[],
): Promise<Change[]> {
  const next: RunRecord = { ...record, stage, wrote: await wroteAfter(tree, record, changes) }
  return [...changes, { path: runFile(record.run), content: toYaml(next) }]
}

function withoutDefinition({ definition: _, image: __, ...facts }: Facts): Facts {
  return facts
}

/** The change that a path must not have moved for: what the tree holds there now. */
export async function expecting(tree: Tree, changes: readonly Change[]): Promise<ExpectedChange[]> {
  return Promise.all(changes.map(async (change) => ({ ...change, expect: (await tree.oid(change.path)) ?? null })))
}

/**
 * The first path that is neither what a change expects to replace nor what it wants. A note of a kept disk is wanted away by whoever
 * takes the disk: who finds it gone already has not got it.
 */
export async function conflicting(tree: Tree, changes: readonly ExpectedChange[]): Promise<string | undefined> {
  for (const { path, content, expect } of changes) {
    const now = (await tree.oid(path)) ?? null
    const isWanted = now === idOf(content) && !(now === null && isKeptNote(path))
    if (now !== expect && !isWanted) return path
  }
  return undefined
}

/** Who makes a commit and why, as trailers. */
export const trailersOf = ({ id, task, lifecycle, requester }: Run): CommitTrailers => ({
  run: id,
  step: task,
  lifecycle,
  requester,
})
