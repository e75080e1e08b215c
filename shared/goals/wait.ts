import type { Machines, MachineView, Seen } from '../machines.ts'
import { type Facts, type Here, ignored, notYet, type Outcome, refused, succeeded } from '../step.ts'
import { type Assessment, waiting } from './assessment.ts'
import type { Aim, Goal } from './goal.ts'
import { openTrouble } from './grace.ts'

export interface Grace {
  /** How long an error that may pass must last until it is final. */
  graceMilliseconds: number
}

/** What is waited for, whatever it is. */
export interface Wait<View extends Seen> {
  /** What it is, for people. */
  what: string
  views: AsyncIterable<View>
  /** True when the view shows that nobody waits for it any more. */
  isPast?: ((view: View) => boolean) | undefined
  assess(view: View): Assessment
  /** Asks the cluster once more when the view shows the goal; what it answers counts. */
  confirm?: ((view: View) => Promise<Assessment>) | undefined
  /** What a requester wants to know of it in the end. */
  facts?(view: View): Facts
}

/**
 * Watches until an assessment is final, and tells each new state on the way. An error is final once it was seen for the grace in all,
 * and never gone in between: what may have passed while the cluster could not be asked does not count.
 */
export async function waitUntil<View extends Seen>(
  wait: Wait<View>,
  { graceMilliseconds }: Grace,
  here: Here,
): Promise<Outcome> {
  let last: Assessment = waiting('nothing was seen yet')
  const trouble = openTrouble(graceMilliseconds, here.now)
  for await (const view of wait.views) {
    if (view.isStale) {
      trouble.unseen()
      await here.progress(`${wait.what} cannot be seen: its cluster or the hub does not answer`)
      continue
    }
    if (wait.isPast?.(view)) return ignored(`What was to be seen of ${wait.what} is past: the run has gone on`)
    last = wait.assess(view)
    if (last.state === 'reached' && wait.confirm) last = await wait.confirm(view)
    if (last.state === 'reached') return succeeded(last.message, { ...last.facts, ...wait.facts?.(view) })
    if (last.state === 'failed') return refused(last.message)
    if (last.state === 'troubled') trouble.seen()
    else trouble.gone()
    if (trouble.hasLasted()) return refused(last.message)
    await here.progress(last.message)
  }
  // Nothing may have changed since the last look.
  if (trouble.hasLasted()) return refused(last.message)
  return notYet(`Still waiting for ${wait.what}: ${last.message}`)
}

/** Waits for one machine. */
export const waitFor = (
  aim: Aim,
  machines: Machines,
  grace: Grace,
  here: Here,
  { isPast, extras = [], assess, confirm }: Goal & Pick<Wait<MachineView>, 'isPast'>,
): Promise<Outcome> =>
  waitUntil(
    {
      what: `VM ${aim.definition.name}`,
      views: machines.watch(aim.definition, here.patience, extras),
      isPast,
      assess: (view) => assess(view, aim),
      confirm: confirm && ((view) => confirm(aim, machines, view)),
      facts: (view) => ({ observed: observedIn(view) }),
    },
    grace,
    here,
  )

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
