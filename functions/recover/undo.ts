import { type Cmdb, toCmdbRecord } from '../../shared/cmdb.ts'
import type { Change, Fleet, Tree } from '../../shared/fleet.ts'
import { dueChangesOf } from '../../shared/gitops/due.ts'
import type { GoldenImages } from '../../shared/golden-images.ts'
import { type RunRecord, readRecord, trailersOf } from '../../shared/ledger.ts'
import {
  changesMachine,
  type LifecycleName,
  lifecycleOf,
  makesImage,
  placeIn,
  type Subject,
} from '../../shared/lifecycles.ts'
import { archiveFolder, runFile } from '../../shared/paths.ts'
import { isPlan } from '../../shared/plan.ts'
import { firstOf, hasCommitted } from '../../shared/standing.ts'
import { type Facts, type Here, ignored, notYet, type Outcome, type Run, succeeded } from '../../shared/step.ts'
import { toYaml } from '../../shared/yaml.ts'
import { disksOf, isClaim } from './claims.ts'
import { awaitImageBack, remainsOf } from './image.ts'
import { type Means, rewind } from './rewind.ts'
import { isOnlyRefused, strand, strandedRecord } from './strand.ts'

export interface Clients extends Means {
  /** Undefined where no enterprise system is configured. */
  cmdb: Cmdb | undefined
  goldenImages: Pick<GoldenImages, 'watch'>
}

/**
 * Undoes a failed run, from its record in Git alone: first what clusters follow (the machine's folder and its
 * Application), then, once the cluster has followed, what the run had claimed (name, addresses, Placement). An address is
 * given back only when nobody can be using it any more.
 */
export async function undo(run: Run, clients: Clients, here: Here): Promise<Outcome> {
  // Its run had ended before; undoing it again would tell the requester again, and fail again.
  if (run.failure?.task === 'notify') return ignored(`Run ${run.id} has ended, but its requester could not be told`)
  const began = await restore(run, clients.fleet)
  if (began.kind === 'ended') return answerForEnded(run, clients)
  if (began.kind === 'running') return ignored(stillRunning(run))
  if (began.kind === 'stranded') return { kind: 'stranded', message: began.message }
  return finish({ ...run, facts: { ...run.facts, ...began.facts } }, clients, here)
}

/** Waits until the cluster has followed, and gives back what the run had claimed. */
async function finish(run: Run, clients: Clients, here: Here): Promise<Outcome> {
  const left = await ways[lifecycleOf(run.lifecycle).about](run, clients, here)
  if (left) return left
  const conflict = await release(run, clients.fleet)
  if (conflict !== undefined) return { kind: 'stranded', message: conflictSentence(run, conflict) }
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
  if (run.facts.cluster !== undefined) await clients.cmdb?.register(toCmdbRecord(run), 'retired')
  return undefined
}

/** A machine that was there before is put back as it was. */
async function putBack(run: Run, clients: Clients, here: Here): Promise<Outcome | undefined> {
  const { name, cluster } = run.facts
  if (name === undefined || cluster === undefined) return undefined
  const outcome = await rewind(run, { cluster, namespace: run.request.namespace, name }, clients, here)
  if (outcome?.kind === 'stranded') await strand(run, outcome.message, clients.fleet)
  return outcome
}

/** How the cluster follows an undo; undefined once it has. */
const ways: Record<Subject, (run: Run, clients: Clients, here: Here) => Promise<Outcome | undefined>> = {
  machine: putBack,
  'new machine': takeAway,
  image: putImageBack,
}

/** The same at every delivery: what the run has made is asked of Git's history, its record is gone by then. */
async function undone(run: Run, fleet: Fleet): Promise<Outcome> {
  const why = run.failure?.message ?? run.message
  if (makesImage(run.lifecycle))
    return succeeded(`Everything was put back after: ${why}${await remainsOf(run, fleet)}`, { kept: [] })
  const disks = disksOf(run)
  const makesDisks = makers[run.lifecycle] ?? 'create.commit'
  const isMade = disks.length > 0 && (await fleet.find(run.id, makesDisks, run.horizon)) !== undefined
  const kept = isMade ? disks : []
  const rest =
    kept.length === 0 ? '' : `. Kept on ${run.facts.cluster}, because data disks are never removed: ${kept.join(', ')}`
  return succeeded(`Everything was put back after: ${why}${rest}`, { kept })
}

/** The task that makes data disks, where the lifecycle does not make a machine. */
const makers: Partial<Record<LifecycleName, string>> = { resize: 'resize.commit', restore: 'restore.commit' }

type Restored =
  /** With what the record knows: the delivery that failed may have known less than one beside it. */
  { kind: 'restored'; facts: Facts } | { kind: 'running' } | { kind: 'ended' } | { kind: 'stranded'; message: string }

const stillRunning = ({ id }: Run) => `Run ${id} goes on: it is another delivery of its request that was refused`

/** Puts back what the clusters follow, and marks the run as being undone, so that no late event goes on with it. */
async function restore(run: Run, fleet: Fleet): Promise<Restored> {
  const { value } = await fleet.transact<Restored>({
    subject: `Undo ${run.lifecycle} of ${run.facts.name ?? run.id}: it failed at ${run.failure?.task}`,
    trailers: trailersOf(run),
    decide: async (tree) => {
      const record = await readRecord(tree, run.id)
      if (!record) return { nothing: true, value: { kind: 'ended' } }
      if (isOnlyRefused(run)) return { nothing: true, value: { kind: 'running' } }
      // It was said that a person must look; what they do must not be undone under their hands.
      if (record.state === 'stranded')
        return { nothing: true, value: { kind: 'stranded', message: record.message ?? '' } }
      // An address that it gave back may be somebody else's by now, and that is as it should be.
      if (isPastReturn(record)) {
        const message = noReturn(run)
        return { changes: [strandedRecord(record, run, message)], value: { kind: 'stranded', message } }
      }
      const { conflict } = await backTo(tree, record, () => true)
      if (conflict !== undefined)
        return {
          changes: [strandedRecord(record, run, conflictSentence(run, conflict))],
          value: { kind: 'stranded', message: conflictSentence(run, conflict) },
        }
      // What a run has changed of a machine that there is goes back in stages.
      const isLeft = changesMachine(record.lifecycle) ? () => false : (path: string) => !isClaim(path)
      const { changes } = await backTo(tree, record, isLeft)
      return {
        changes: [...changes, { path: runFile(run.id), content: toYaml(undoing(run, record)) }],
        value: { kind: 'restored', facts: record.facts },
      }
    },
  })
  return value
}

/** What fails first, and when its undo must have ended, holds; what fails beside it says nothing new. */
function undoing({ failure, deadline, at }: Run, record: RunRecord): RunRecord {
  if (record.state === 'undoing') return record
  const { resumed: _, ...before } = record
  return { ...before, state: 'undoing', deadline, at, ...(failure ? { failure } : {}) }
}

/**
 * Gives back the claims and ends the run's record: the last commit of an undone run. Answers a path that somebody else
 * changed meanwhile; then nothing is given back.
 */
async function release(run: Run, fleet: Fleet): Promise<string | undefined> {
  const { value } = await fleet.transact<string | undefined>({
    subject: `Release what run ${run.id} had claimed`,
    trailers: { ...trailersOf(run), step: releasing },
    decide: async (tree) => {
      const record = await readRecord(tree, run.id)
      if (!record) return { nothing: true, value: undefined }
      const { changes, conflict } = await backTo(tree, record, isClaim)
      if (conflict !== undefined)
        return { changes: [strandedRecord(record, run, conflictSentence(run, conflict))], value: conflict }
      const ended = { path: runFile(run.id), content: null }
      return { changes: [...changes, ...(await keptSince(tree, run)), ended], value: undefined }
    },
  })
  return value
}

const releasing = 'release'

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

/** Once its machine has left the fleet a deprovision only goes on: its root disk may be gone. */
const isPastReturn = ({ lifecycle, task }: RunRecord) =>
  lifecycle === 'deprovision' && placeIn(lifecycle, task) >= placeIn(lifecycle, 'remove.commit')

const noReturn = ({ id, facts, failure, since }: Run) =>
  `Cannot undo run ${id}: ${facts.name} was taken away already, see ${archiveFolder(since.slice(0, 4), facts.name ?? '', id)}. What failed: ${failure?.message}. Put that right, release by hand what is left, and remove ${runFile(id)}`

const conflictSentence = (run: Run, path: string) =>
  `Cannot undo run ${run.id}: ${path} was changed by somebody else after this run wrote it. Look at its history, put it right by hand, and remove ${runFile(run.id)}`

/** Undefined once nothing of the machine is left on its cluster; else what is. */
async function awaitGone(run: Run, { machines, rootApplication }: Clients, here: Here): Promise<string | undefined> {
  const { name, cluster } = run.facts
  if (name === undefined || cluster === undefined) return undefined
  // Until it has seen the undo, Argo CD may still be about to make what is not there yet.
  if (!(await machines.settle(rootApplication, here.patience)))
    return `Argo CD has not looked at Git since, for ${name}`
  let left = ''
  for await (const view of machines.watch({ name, cluster, namespace: run.request.namespace }, here.patience)) {
    const things = {
      Application: view.application,
      VirtualMachine: view.machine,
      VirtualMachineInstance: view.instance,
    }
    left = Object.entries(things)
      .flatMap(([kind, one]) => (one ? [kind] : []))
      .join(', ')
    if (left === '') return undefined
    await here.progress(`${cluster} still has ${left} of ${name}`)
  }
  return `${cluster} still has ${left === '' ? 'something' : left} of ${name}`
}

/** A run without a record did nothing, is undone already, or is complete; a complete one must not be touched. */
async function answerForEnded(run: Run, { fleet, cmdb }: Clients): Promise<Outcome> {
  const did = async (step: string) => (await fleet.find(run.id, step, run.horizon)) !== undefined
  const why = run.failure?.message ?? run.message
  if (await did('complete')) {
    if (run.failure?.task !== 'complete') return ignored(`Run ${run.id} is complete: its failure comes too late`)
    const message = `The ${run.lifecycle} of ${makesImage(run.lifecycle) ? 'image' : 'VM'} ${run.facts.name} is complete and its run is closed, but the answer that says so was lost: ${why}. Nothing was undone`
    return { kind: 'stranded', message }
  }
  const hasBegun = await did(firstOf(run.lifecycle))
  if (hasBegun && isOnlyRefused(run))
    return ignored(`Run ${run.id} has ended: its request was refused when it came again`)
  if (await did(releasing)) return undone(run, fleet)
  if (hasBegun) return ignored(`Run ${run.id} was closed by hand: its failure comes too late`)
  if (isPlan(run) || !hasCommitted(run)) return succeeded(`Nothing was changed: ${why}`)
  // Its clusters follow what Git says now.
  const { about } = lifecycleOf(run.lifecycle)
  if (about === 'new machine' && run.facts.cluster !== undefined) await cmdb?.register(toCmdbRecord(run), 'retired')
  return succeeded(`Nothing is left to be put back, for the history of the branch was rewritten, after: ${why}`)
}
