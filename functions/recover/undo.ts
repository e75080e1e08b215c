import { toCmdbRecord } from '../../shared/cmdb.ts'
import { type Change, type Fleet, nothing, type Tree } from '../../shared/fleet.ts'
import { dueChangesOf } from '../../shared/gitops/due.ts'
import type { GoldenImages } from '../../shared/golden-images.ts'
import { type RunRecord, readRecord, trailersOf } from '../../shared/ledger.ts'
import { changesMachine, lifecycleOf, placeIn, removesMachine, type Subject } from '../../shared/lifecycles.ts'
import type { MachineView } from '../../shared/machines.ts'
import { archiveFolder, isReservation, runFile } from '../../shared/paths.ts'
import { undoDeadline } from '../../shared/run.ts'
import { endOfUndo } from '../../shared/standing.ts'
import { type Facts, type Here, ignored, isPastDeadline, notYet, type Outcome, type Run } from '../../shared/step.ts'
import { toYaml } from '../../shared/yaml.ts'
import { awaitNone } from './await-none.ts'
import { answerForEnded, type Books, isOfAnother, stillRunning, undone } from './ended.ts'
import { awaitImageBack } from './image.ts'
import { type Means, rewind } from './rewind.ts'
import { conflictSentence, strand, strandedRecord } from './strand.ts'

export interface Clients extends Means, Books {
  /** How long an undo may take, unless its request gave the run more. */
  undoMinutes: number
  goldenImages: Pick<GoldenImages, 'watch'>
}

/**
 * Undoes a failed run, from its record in Git alone: first what clusters follow (the machine's folder and its
 * Application), then, once the cluster has followed, what the run had reserved (name, addresses, Placement). An address is
 * given back only when nobody can be using it any more.
 */
export async function undo(run: Run, clients: Clients, here: Here): Promise<Outcome> {
  // Its run had ended before; undoing it again would tell the requester again, and fail again.
  if (run.failure?.task === 'notify') return ignored(`Run ${run.id} has ended, but its requester could not be told`)
  const began = await begin(run, clients, here.now())
  if (began.kind === 'ended') return answerForEnded(run, clients)
  if (began.kind === 'running') return ignored(stillRunning(run))
  if (began.kind === 'stranded') return { kind: 'stranded', message: began.message }
  const { facts, deadline } = began
  return finish({ ...run, deadline, facts: { ...run.facts, ...facts } }, clients, here)
}

/** Waits until the cluster has followed, and gives back what the run had reserved. */
async function finish(run: Run, clients: Clients, here: Here): Promise<Outcome> {
  const left = await ways[lifecycleOf(run.lifecycle).about](run, clients, here)
  if (left) return left
  const message = await giveBack(run, clients.fleet)
  if (message !== undefined) return { kind: 'stranded', message }
  await clients.machines.refresh(clients.rootApplication)
  return undone(run, clients.fleet)
}

/** What a run made of an image goes again, and what the image was before is back. */
async function putImageBack(run: Run, clients: Clients, here: Here): Promise<Outcome | undefined> {
  const left = await awaitImageBack(run, clients, here)
  return left === undefined ? undefined : notYet(`Still undoing: ${left}`)
}

/** A machine that the run made goes again. */
async function takeAway(run: Run, clients: Clients, here: Here): Promise<Outcome | undefined> {
  const gone = await awaitGone(run, clients, here)
  if (gone !== undefined) return notYet(`Still undoing: ${gone}`)
  if (mayBeKnown(run)) await clients.cmdb?.register(toCmdbRecord(run), 'retired')
  return undefined
}

/** True for a machine that was registered: by its events, of which the last may be lost before Git says where it was placed. */
const mayBeKnown = ({ lifecycle, facts, failure }: Run): boolean =>
  facts.cluster !== undefined ||
  (facts.name !== undefined && failure !== undefined && placeIn(lifecycle, failure.task) >= placeIn(lifecycle, 'place'))

/** A machine that was there before is put back as it was. */
async function putBack(run: Run, clients: Clients, here: Here): Promise<Outcome | undefined> {
  const { name, cluster } = run.facts
  if (name === undefined || cluster === undefined) return undefined
  const outcome = await rewind(run, { cluster, namespace: run.request.namespace, name }, clients, here)
  return outcome?.kind === 'stranded' ? ((await strand(run, outcome.message, clients, here.now())) ?? outcome) : outcome
}

/** How the cluster follows an undo; undefined once it has. */
const ways: Record<Subject, (run: Run, clients: Clients, here: Here) => Promise<Outcome | undefined>> = {
  machine: putBack,
  'new machine': takeAway,
  image: putImageBack,
}

type Begun =
  /** With what the record says: the delivery that failed may have known less than one beside it, and an undo may begin late. */
  | { kind: 'begun'; facts: Facts; deadline: string }
  | { kind: 'running' }
  | { kind: 'ended' }
  | { kind: 'stranded'; message: string }

/** Puts back what the clusters follow, and marks the run as being undone, so that no late event goes on with it. */
async function begin(run: Run, { fleet, ...limits }: Clients, now: Date): Promise<Begun> {
  const { value } = await fleet.transact<Begun>({
    subject: `Undo ${run.lifecycle} of ${run.facts.name ?? run.id}: it failed at ${run.failure?.task}`,
    trailers: trailersOf(run),
    decide: async (tree) => {
      const record = await readRecord(tree, run.id)
      if (!record) return nothing({ kind: 'ended' })
      if (isOfAnother(run, record)) return nothing({ kind: 'running' })
      // It was said that a person must look; what they do must not be undone under their hands.
      if (record.state === 'stranded') return nothing({ kind: 'stranded', message: record.message ?? '' })
      // An address that it gave back may be somebody else's by now, and that is as it should be.
      if (isPastReturn(record)) {
        const message = noReturn(run)
        return { changes: [strandedRecord(record, run, message)], value: { kind: 'stranded', message } }
      }
      const { conflict } = await backTo(tree, record, () => true)
      if (conflict !== undefined) {
        const message = conflictSentence(run, conflict)
        return { changes: [strandedRecord(record, run, message)], value: { kind: 'stranded', message } }
      }
      // What a run has changed of a machine that there is goes back in stages.
      const isLeft = changesMachine(record.lifecycle) ? () => false : (path: string) => !isReservation(path)
      const { changes } = await backTo(tree, record, isLeft)
      const next = undoing(run, record, limits, now)
      return {
        changes: [...changes, { path: runFile(run.id), content: toYaml(next) }],
        value: { kind: 'begun', facts: record.facts, deadline: next.deadline },
      }
    },
  })
  return value
}

/**
 * What fails first, and when its undo must have ended, holds; what fails beside it says nothing new. Whose event has waited while Git or
 * `recover` was away gets its time all the same: one that is begun without any would leave its machine half-way.
 */
function undoing(run: Run, record: RunRecord, limits: Pick<Clients, 'undoMinutes'>, now: Date): RunRecord {
  if (record.state === 'undoing') return record
  const { failure, at } = run
  const { resumed: _, ...before } = record
  const whole = undoDeadline(run, limits, now)
  const half = new Date((now.getTime() + Date.parse(whole)) / 2)
  const deadline = isPastDeadline(run, half) ? whole : run.deadline
  return { ...before, state: 'undoing', deadline, at, ...(failure ? { failure } : {}) }
}

/**
 * Gives back what is reserved and ends the run's record: the last commit of an undone run. Answers why a person must look at
 * it instead, such as a path that somebody else changed meanwhile; then nothing is given back.
 */
async function giveBack(run: Run, fleet: Fleet): Promise<string | undefined> {
  const { value } = await fleet.transact<string | undefined>({
    subject: `Release what run ${run.id} had claimed`,
    trailers: { ...trailersOf(run), step: endOfUndo },
    decide: async (tree) => {
      const record = await readRecord(tree, run.id)
      if (!record) return nothing(undefined)
      if (record.state === 'stranded') return nothing(record.message ?? '')
      const { changes, conflict } = await backTo(tree, record, isReservation)
      if (conflict !== undefined) {
        const message = conflictSentence(run, conflict)
        return { changes: [strandedRecord(record, run, message)], value: message }
      }
      const ended = { path: runFile(run.id), content: null }
      return { changes: [...changes, ...(await keptSince(tree, run)), ended], value: undefined }
    },
  })
  return value
}

/** The note of what an undo has left for a time. */
async function keptSince(tree: Tree, { facts: { name, cluster }, request, lifecycle }: Run): Promise<Change[]> {
  if (!changesMachine(lifecycle) || name === undefined || cluster === undefined) return []
  return dueChangesOf(tree, { cluster, namespace: request.namespace, name })
}

/** The changes that bring a run's paths back to what they were; a path that somebody else changed since is a conflict. */
async function backTo(
  tree: Tree,
  record: RunRecord,
  chosen: (path: string) => boolean,
): Promise<{ changes: Change[]; conflict?: string }> {
  const changes: Change[] = []
  for (const [path, { before, after, edited }] of Object.entries(record.wrote)) {
    if (!chosen(path)) continue
    const now = (await tree.oid(path)) ?? null
    if (now === before) continue
    if (now !== after || edited) return { changes, conflict: path }
    changes.push({ path, content: before === null ? null : await tree.blob(before) })
  }
  return { changes }
}

/** Once its machine has left the fleet a run only goes on: the root disk may be gone. */
const isPastReturn = ({ lifecycle, task }: RunRecord) =>
  removesMachine(lifecycle) && placeIn(lifecycle, task) >= placeIn(lifecycle, 'remove.commit')

const noReturn = ({ id, facts, failure, since }: Run) =>
  `Cannot undo run ${id}: ${facts.name} was taken away already, see ${archiveFolder(since, facts.name ?? '', id)}. What failed: ${failure?.message}. Put that right, and let the run go on: set state to "running" and deadline to a time to come in ${runFile(id)}`

/** Undefined once nothing of the machine is left on its cluster; else what is. */
async function awaitGone(run: Run, { machines, rootApplication }: Clients, here: Here): Promise<string | undefined> {
  const { name, cluster } = run.facts
  if (name === undefined || cluster === undefined) return undefined
  // Until it has seen the undo, Argo CD may still be about to make what is not there yet.
  if (!(await machines.settle(rootApplication, here.patience)))
    return `Argo CD has not looked at Git since, for ${name}`
  const views = machines.watch({ name, cluster, namespace: run.request.namespace }, here.patience)
  return awaitNone(views, kindsIn, (left) => `${cluster} still has ${left} of ${name}`, here)
}

const kindsIn = ({ application, machine, instance }: MachineView): string[] => [
  ...(application ? ['Application'] : []),
  ...(machine ? ['VirtualMachine'] : []),
  ...(instance ? ['VirtualMachineInstance'] : []),
]
