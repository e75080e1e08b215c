import type { Machines, MachineView } from '../machines.ts'
import { type Here, notYet, type Outcome, refused, succeeded } from '../step.ts'
import { type Assessment, waiting } from './assessment.ts'
import type { Aim, Goal } from './goal.ts'

export interface Grace {
  /** How long an error that may pass must last until it is final. */
  graceMilliseconds: number
}

/** Watches one machine until an assessment is final, and tells each new state on the way. */
export async function waitFor(
  aim: Aim,
  machines: Machines,
  settings: Grace,
  here: Here,
  { assess, confirm, extras = [] }: Goal,
): Promise<Outcome> {
  const { definition } = aim
  let last: Assessment = waiting('nothing was seen yet')
  let troubledSince: number | undefined
  const hasLasted = () =>
    troubledSince !== undefined && here.now().getTime() - troubledSince >= settings.graceMilliseconds
  for await (const view of machines.watch(definition, here.patience, extras)) {
    last = assess(view, aim)
    if (last.state === 'reached' && confirm) last = await confirm(aim, machines, view)
    if (last.state === 'reached') return succeeded(last.message, { ...last.facts, observed: observedIn(view) })
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
