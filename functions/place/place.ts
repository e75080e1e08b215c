import { DroverError } from '../../shared/errors.ts'
import { type Fleet, nothing } from '../../shared/fleet.ts'
import type { Hub } from '../../shared/hub.ts'
import { readRecord, recorded, trailersOf } from '../../shared/ledger.ts'
import { type Choice, placementName, toPlacement } from '../../shared/ocm/placement.ts'
import { placementFile, runFile } from '../../shared/paths.ts'
import { type Here, ignored, type Outcome, type Run, refused, succeeded } from '../../shared/step.ts'
import { toYaml } from '../../shared/yaml.ts'
import { awaitDecision } from './await-decision.ts'

export interface Settings {
  /** Argo CD's namespace: it finds PlacementDecisions nowhere else. */
  namespace: string
  /** The Application that applies `hub/` to the hub. */
  rootApplication: string
  /** How long 'no cluster fits' must last until it is final; scores and clusters may be about to change. */
  graceMilliseconds: number
}

/** Finds the cluster that the machine will live on: the one the request names, or the one OCM chooses. */
export async function place(run: Run, fleet: Fleet, hub: Hub, settings: Settings, here: Here): Promise<Outcome> {
  const { machine, name } = run.facts
  if (!machine || name === undefined)
    throw new DroverError('unreadable', `Cannot place: run ${run.id} has no machine or no name yet`)
  const { placement } = machine
  if ('cluster' in placement) return fixed(run, placement.cluster, fleet, hub)
  const asked = await ask(run, name, placement, fleet, settings)
  if (asked !== 'asked') return asked
  await hub.refresh(settings.rootApplication)
  return awaitDecision(run, name, hub, settings, here)
}

async function fixed(run: Run, cluster: string, fleet: Fleet, hub: Hub): Promise<Outcome> {
  const record = await readRecord(await fleet.head(), run.id)
  if (record?.state !== 'running') return ended(run)
  const found = await hub.managedCluster(cluster)
  if (!found) return refused(`Cannot place ${run.facts.name}: the hub has no ManagedCluster "${cluster}"`)
  if (!found.accepted) return refused(`Cannot place ${run.facts.name}: ManagedCluster "${cluster}" is not accepted yet`)
  const placementReason = 'the request or its template names this cluster'
  return succeeded(`Placed ${run.facts.name} on ${cluster}: ${placementReason}`, { cluster, placementReason })
}

const ended = (run: Run) => ignored(`Run ${run.id} has ended: it is not placed any more`)

/** Puts the Placement into Git, unless the run did so before. */
async function ask(run: Run, name: string, choice: Choice, fleet: Fleet, settings: Settings) {
  const path = placementFile(name)
  const { value } = await fleet.transact<Outcome | 'asked'>({
    subject: `Ask for a cluster for ${name}, run ${run.id}`,
    trailers: trailersOf(run),
    reads: [runFile(run.id)],
    decide: async (tree) => {
      const record = await readRecord(tree, run.id)
      if (record?.state !== 'running') return nothing(ended(run))
      if (record.wrote[path]) return nothing('asked')
      if ((await tree.oid(path)) !== undefined)
        return nothing(refused(`Cannot place ${name}: ${path} is there already and not this run's`))
      const content = toYaml(toPlacement(placementName(name, run.id), choice, settings.namespace))
      return { changes: await recorded(tree, run, run.facts, [{ path, content }]), value: 'asked' }
    },
  })
  return value
}
