import { type Cmdb, toCmdbRecord } from '../../shared/cmdb.ts'
import type { Change, Fleet, Tree } from '../../shared/fleet.ts'
import { type RunRecord, readRecord, trailersOf } from '../../shared/ledger.ts'
import type { Machines } from '../../shared/machines.ts'
import { runFile } from '../../shared/paths.ts'
import { type Here, ignored, notYet, type Outcome, type Run, succeeded } from '../../shared/step.ts'
import { toYaml } from '../../shared/yaml.ts'
import { disksOf, isClaim } from './claims.ts'

export interface Clients {
  fleet: Fleet
  machines: Machines
  rootApplication: string
  /** Undefined where no enterprise system is configured. */
  cmdb: Cmdb | undefined
}

/**
 * Undoes a failed run, from its record in Git alone: first what clusters follow (the machine's folder and its
 * Application), then, once the cluster has followed, what the run had claimed (name, addresses, Placement). An address is
 * given back only when nobody can be using it any more.
 */
export async function undo(run: Run, clients: Clients, here: Here): Promise<Outcome> {
  const began = await restore(run, clients.fleet)
  if (began.kind === 'ended') return answerForEnded(run, clients.fleet)
  if (began.kind === 'conflict') return { kind: 'stranded', message: conflictSentence(run, began.path) }
  const gone = await awaitGone(run, clients, here)
  if (gone !== undefined) return notYet(`Still undoing: ${gone}`)
  if (run.facts.cluster !== undefined) await clients.cmdb?.register(toCmdbRecord(run), 'retired')
  await release(run, clients.fleet)
  await clients.machines.refresh(clients.rootApplication)
  const left = began.made ? disksOf(run) : []
  const rest =
    left.length === 0 ? '' : `. Kept on ${run.facts.cluster}, because data disks are never removed: ${left.join(', ')}`
  return succeeded(`Everything was put back after: ${run.failure?.message ?? run.message}${rest}`, { kept: left })
}

type Restored = { kind: 'restored'; made: boolean } | { kind: 'ended' } | { kind: 'conflict'; path: string }

/** Puts back what the clusters follow, and marks the run as being undone, so that no late event goes on with it. */
async function restore(run: Run, fleet: Fleet): Promise<Restored> {
  const { value } = await fleet.transact<Restored>({
    subject: `Undo ${run.lifecycle} of ${run.facts.name ?? run.id}: it failed at ${run.failure?.task}`,
    trailers: trailersOf(run),
    decide: async (tree) => {
      const record = await readRecord(tree, run.id)
      if (!record) return { nothing: true, value: { kind: 'ended' } }
      const { changes, conflict } = await backTo(tree, record, (path) => !isClaim(path))
      const state = conflict === undefined ? 'undoing' : 'stranded'
      const next: RunRecord = {
        ...record,
        state,
        message: conflict === undefined ? (run.failure?.message ?? '') : conflictSentence(run, conflict),
      }
      const value: Restored =
        conflict === undefined
          ? { kind: 'restored', made: Object.keys(record.wrote).some((path) => path.startsWith('vms/')) }
          : { kind: 'conflict', path: conflict }
      return {
        changes: [...(conflict === undefined ? changes : []), { path: runFile(run.id), content: toYaml(next) }],
        value,
      }
    },
  })
  return value
}

/** Gives back the claims and ends the run's record: the last commit of an undone run. */
async function release(run: Run, fleet: Fleet): Promise<void> {
  await fleet.transact<undefined>({
    subject: `Release what run ${run.id} had claimed`,
    trailers: { ...trailersOf(run), step: 'release' },
    decide: async (tree) => {
      const record = await readRecord(tree, run.id)
      if (!record) return { nothing: true, value: undefined }
      const { changes } = await backTo(tree, record, isClaim)
      return { changes: [...changes, { path: runFile(run.id), content: null }], value: undefined }
    },
  })
}

/** The changes that bring a run's paths back to what they were; a path that somebody else changed since is a conflict. */
async function backTo(
  tree: Tree,
  record: RunRecord,
  chosen: (path: string) => boolean,
): Promise<{ changes: Change[]; conflict?: string }> {
  const changes: Change[] = []
  for (const [path, { before, after }] of Object.entries(record.wrote)) {
    if (!chosen(path)) continue
    const now = (await tree.oid(path)) ?? null
    if (now === before) continue
    if (now !== after) return { changes, conflict: path }
    changes.push({ path, content: before === null ? null : await tree.blob(before) })
  }
  return { changes }
}

const conflictSentence = (run: Run, path: string) =>
  `Cannot undo run ${run.id}: ${path} was changed by somebody else after this run wrote it. Look at its history, put it right by hand, and remove ${runFile(run.id)}`

/** Undefined once nothing of the machine is left on its cluster; else what is. */
async function awaitGone(run: Run, { machines, rootApplication }: Clients, here: Here): Promise<string | undefined> {
  const { name, cluster } = run.facts
  if (name === undefined || cluster === undefined) return undefined
  await machines.refresh(rootApplication)
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
async function answerForEnded(run: Run, fleet: Fleet): Promise<Outcome> {
  const completed = await fleet.find(run.id, 'complete', run.since)
  if (completed !== undefined) return ignored(`Run ${run.id} is complete: its failure comes too late`)
  return succeeded(`Nothing was changed: ${run.failure?.message ?? run.message}`)
}
