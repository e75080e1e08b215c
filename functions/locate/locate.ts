import { recordedClaims } from '../../shared/claims.ts'
import { DroverError } from '../../shared/errors.ts'
import { type Fleet, nothing, type Tree } from '../../shared/fleet.ts'
import { hasAgent } from '../../shared/goals/ready.ts'
import { markedDisks, markedSentence } from '../../shared/kubevirt/data-disks.ts'
import { allClaims } from '../../shared/kubevirt/manifest.ts'
import { recorded, trailersOf } from '../../shared/ledger.ts'
import { findsMachine, makesMachine, removesMachine } from '../../shared/lifecycles.ts'
import { heldSentence, holderOf, lockOf, toLock } from '../../shared/lock.ts'
import { type Machines, type MachineView, placeOf } from '../../shared/machines.ts'
import type { Definition } from '../../shared/schema/definition.ts'
import type { MachineRequest } from '../../shared/schema/requests.ts'
import { summary } from '../../shared/schema/show.ts'
import { standing, unlessAnother } from '../../shared/standing.ts'
import {
  type Facts,
  type Here,
  ignored,
  notYet,
  type Outcome,
  type Run,
  refused,
  succeeded,
} from '../../shared/step.ts'
import { claimRefusals } from './claims.ts'
import { differences } from './differences.ts'
import { type Found, find } from './find.ts'
import { furnish, type Sources } from './furnish.ts'
import { toClone } from './origin.ts'

/** A machine that is held, with what was recorded of it. */
interface Held {
  definition: Definition
  facts: Facts
}

/**
 * Finds the machine that a request is about and holds it: from here on no other run changes it. Then looks at it on its
 * cluster, and refuses to go on where that is not what Git says.
 */
export async function locate(run: Run, fleet: Fleet, clients: Omit<Sources, 'tree'>, here: Here): Promise<Outcome> {
  const { namespace, name } = machineOf(run)
  const { value } = await fleet.transact<Outcome | Held>({
    subject: `Hold ${namespace}/${name} for ${run.lifecycle} run ${run.id}`,
    trailers: trailersOf(run),
    decide: async (tree) => {
      const before = await standing(tree, run, fleet)
      if (before === 'ended') return nothing(ignored(`Run ${run.id} has ended: it holds nothing again`))
      const another = before && unlessAnother(before, run)
      if (another) return nothing(another)
      // Its machine may look different by now, or be gone: by what this very run does.
      if (before && before.task !== run.task) return nothing(ignored(`Run ${run.id} is further than this`))
      const found = await find(tree, machineOf(run))
      if (typeof found === 'string') return nothing(refused(`Cannot find the machine: ${found}`))
      const held = await toHeld(tree, run, found)
      const { definition } = held
      if (before) return nothing({ ...held, facts: { ...held.facts, ...before.facts } })
      const holder = await holderOf(tree, lockOf(definition), run.id)
      if (holder && machineOf(run).wait) return nothing(notYet(heldSentence(placeOf(definition), holder)))
      if (holder) return nothing(refused(`Cannot hold the machine: ${heldSentence(placeOf(definition), holder)}`))
      // Of whoever holds it now a mark is no more than a beginning.
      const marked = removesMachine(run.lifecycle) ? [] : markedDisks(definition)
      if (marked.length > 0) return nothing(refused(`Cannot change ${placeOf(definition)}: ${markedSentence(marked)}`))
      const facts = { ...run.facts, ...held.facts }
      const lock = { path: lockOf(definition), content: toLock(run) }
      return { changes: await recorded(tree, run, facts, [lock]), value: held }
    },
  })
  if ('kind' in value) return value
  const looked = await look(run, value, clients.machines, here)
  return looked.kind === 'succeeded'
    ? furnish(run, value.definition, looked, { ...clients, tree: await fleet.head() })
    : looked
}

function machineOf({ id, lifecycle, request }: Run): MachineRequest {
  if (!findsMachine(lifecycle))
    throw new DroverError('unreadable', `Cannot find the machine of run ${id}: it is not about one that there is`)
  return request as MachineRequest
}

async function toHeld(tree: Tree, run: Run, { definition, madeBy }: Found): Promise<Held> {
  const claims = await recordedClaims(tree, definition)
  const facts: Facts = makesMachine(run.lifecycle)
    ? toClone(run, definition)
    : {
        name: definition.name,
        cluster: definition.cluster,
        ...(madeBy === undefined ? {} : { madeBy }),
        wasRunning: definition.running,
        identity: definition.identity,
        interfaces: definition.interfaces,
        dns: definition.dns,
      }
  return { definition, facts: { ...facts, claims } }
}

/** The machine as its cluster shows it. What KubeVirt is busy with is waited for: it refuses every change meanwhile. */
async function look(run: Run, held: Held, machines: Machines, here: Here): Promise<Outcome> {
  const { definition } = held
  let busy = 'the cluster has not answered'
  for await (const view of machines.watch(definition, here.patience)) {
    busy = busyWith(view)
    if (busy === '') return judge(run, held, view, machines)
    await here.progress(`${placeOf(definition)} is busy: ${busy}`)
  }
  return notYet(`Still waiting for ${placeOf(definition)}: ${busy}`)
}

function busyWith({ machine }: MachineView): string {
  const { snapshotInProgress, restoreInProgress } = machine?.status ?? {}
  if (snapshotInProgress) return `snapshot ${snapshotInProgress} is being taken`
  return restoreInProgress ? `restore ${restoreInProgress} goes on` : ''
}

async function judge(
  run: Run,
  { definition, facts: held }: Held,
  view: MachineView,
  machines: Machines,
): Promise<Outcome> {
  const { machine } = view
  const { cluster, namespace } = definition
  const claims = await machines.claims(cluster, namespace, allClaims(definition))
  const problems = differences(definition, held.claims ?? {}, { machine, claims }, removesMachine(run.lifecycle))
  if (problems.length > 0)
    return refused(summary(`Cannot go on with ${placeOf(definition)}: the cluster is not what Git says`, problems))
  const refusals = claimRefusals(run, definition, claims)
  if (refusals.length > 0) return refused(summary(`Cannot do the ${run.lifecycle} of ${placeOf(definition)}`, refusals))
  const facts = { ...held, ...(definition.running && lackedBefore(view, definition)) }
  const { claims: _, ...without } = held
  // A new machine gets disks of its own.
  return succeeded(`Found ${placeOf(definition)}, and hold it`, makesMachine(run.lifecycle) ? without : facts)
}

/** What a machine that was to run lacked before: its undo does not wait for it. */
function lackedBefore(view: MachineView, { guestAgent }: Definition): Pick<Facts, 'wasReady' | 'hadAgent'> {
  if (view.machine?.status?.ready !== true) return { wasReady: false }
  return guestAgent && !hasAgent(view) ? { hadAgent: false } : {}
}
