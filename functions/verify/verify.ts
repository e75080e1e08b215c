import type { Machines, MachineView } from '../../shared/machines.ts'
import type { Definition } from '../../shared/schema/definition.ts'
import { type Here, notYet, type Outcome, type Run, refused, succeeded } from '../../shared/step.ts'
import { assessAddresses, assessNames, type Resolver } from './check.ts'
import { type Assessment, assessReady } from './ready.ts'

export interface Settings {
  rootApplication: string
  /** How long an error that may pass must last until the run fails of it. */
  graceMilliseconds: number
  resolver: Resolver | undefined
}

/** Waits until the cluster shows what Git says: the goal of a round, by the exact tests of `ready.ts`. */
export async function verify(run: Run, machines: Machines, settings: Settings, here: Here): Promise<Outcome> {
  const { definition, revision } = run.facts
  if (!definition) throw new Error('the run has no definition')
  await Promise.all([settings.rootApplication, definition.name].map((application) => machines.refresh(application)))
  const outcome = await waitFor(run, machines, settings, here, async (view) => assessReady(view, definition, revision))
  if (outcome.kind !== 'refused') return outcome
  return refused(`Cannot bring up VM ${definition.name} on ${definition.cluster}: ${outcome.message}`)
}

/** Looks at the running machine: its addresses are those allocated, and its names resolve. */
export async function check(run: Run, machines: Machines, settings: Settings, here: Here): Promise<Outcome> {
  const { definition, revision } = run.facts
  if (!definition) throw new Error('the run has no definition')
  const assess = async (view: MachineView): Promise<Assessment> => {
    const ready = assessReady(view, definition, revision)
    if (ready.state !== 'reached') return ready
    const addresses = assessAddresses(view, definition)
    if (addresses.state !== 'reached') return addresses
    const names = await assessNames(definition, settings.resolver)
    return names.state === 'reached' ? { state: 'reached', message: `${addresses.message}; ${names.message}` } : names
  }
  const outcome = await waitFor(run, machines, settings, here, assess)
  if (outcome.kind !== 'refused') return outcome
  return refused(`Cannot accept VM ${definition.name}: ${outcome.message}`)
}

/** Watches one machine until an assessment is final, and tells each new state on the way. */
async function waitFor(
  run: Run,
  machines: Machines,
  settings: Settings,
  here: Here,
  assess: (view: MachineView) => Promise<Assessment>,
): Promise<Outcome> {
  const definition = run.facts.definition as Definition
  let last: Assessment = { state: 'waiting', message: 'nothing was seen yet' }
  let troubledSince: number | undefined
  const hasLasted = () =>
    troubledSince !== undefined && here.now().getTime() - troubledSince >= settings.graceMilliseconds
  for await (const view of machines.watch(definition, here.patience)) {
    last = await assess(view)
    if (last.state === 'reached') return succeeded(last.message, { observed: observedIn(view) })
    if (last.state === 'failed') return refused(last.message)
    troubledSince = last.state === 'troubled' ? (troubledSince ?? here.now().getTime()) : undefined
    if (hasLasted()) return refused(last.message)
    await here.progress(last.message)
  }
  // Nothing may have changed since the last look.
  if (hasLasted()) return refused(last.message)
  return notYet(`Still waiting for VM ${definition.name}: ${last.message}`)
}

/** The machine as the cluster shows it, for the requester. */
function observedIn({ machine, instance }: MachineView) {
  const { conditions = [], interfaces = [], nodeName } = instance?.status ?? {}
  return {
    status: machine?.status?.printableStatus ?? 'Unknown',
    addresses: interfaces.flatMap((one) => one.ipAddresses ?? (one.ipAddress ? [one.ipAddress] : [])),
    guestAgent: conditions.some(({ type, status }) => type === 'AgentConnected' && status === 'True'),
    ...(nodeName ? { node: nodeName } : {}),
  }
}
