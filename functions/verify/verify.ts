import { lookAtData } from '../../shared/claims.ts'
import { DroverError } from '../../shared/errors.ts'
import { type Assessment, failed, reached } from '../../shared/goals/assessment.ts'
import { isFurther } from '../../shared/goals/further.ts'
import type { Aim, Goal } from '../../shared/goals/goal.ts'
import { asDefined, attempts, goals } from '../../shared/goals/goals.ts'
import { waitFor } from '../../shared/goals/wait.ts'
import { isImageRound, roundOf } from '../../shared/lifecycles.ts'
import type { Machines, MachineView } from '../../shared/machines.ts'
import { isPlan } from '../../shared/plan.ts'
import { type Here, notYet, type Outcome, type Run, refused, succeeded } from '../../shared/step.ts'
import { assessAddresses, assessNames, haveAddresses, plainName, type Resolver } from './check.ts'
import { consequences } from './consequences.ts'

export interface Settings {
  rootApplication: string
  /** How long an error that may pass must last until the run fails of it. */
  graceMilliseconds: number
  resolver: Resolver | undefined
}

/** Waits for what the task is about, and says what was seen. */
export async function verify(run: Run, machines: Machines, settings: Settings, here: Here): Promise<Outcome> {
  if (isPlan(run)) return succeeded('Would wait for it', consequences(run))
  if (run.task === 'absence') return absence(run, settings, here)
  return run.task === 'check' ? check(run, machines, settings, here) : awaitGoal(run, machines, settings, here)
}

/** Waits until the cluster shows what Git says: the goal of a round. */
async function awaitGoal(run: Run, machines: Machines, settings: Settings, here: Here): Promise<Outcome> {
  const round = roundOf(run.lifecycle, run.task)
  const aim = aimOf(run)
  if (!round || isImageRound(round))
    throw new DroverError('unreadable', `Cannot wait: ${run.task} is no task of a round`)
  await Promise.all([settings.rootApplication, aim.definition.name].map((application) => machines.refresh(application)))
  const outcome = await waitFor(aim, machines, settings, here, unlessFurther(run, goals[round]))
  if (outcome.kind !== 'refused') return outcome
  const { name, cluster } = aim.definition
  return refused(`Cannot ${attempts[round]} VM ${name} on ${cluster}: ${outcome.message}`, outcome.facts)
}

/** Looks at the running machine: its addresses are those allocated, its names resolve, its data is on the claims it was on. */
async function check(run: Run, machines: Machines, settings: Settings, here: Here): Promise<Outcome> {
  const aim = aimOf(run)
  const goal: Goal = {
    assess(view) {
      const shown = asDefined.assess(view, aim)
      return shown.state === 'reached' && aim.definition.running ? assessAddresses(view, aim.definition) : shown
    },
    async confirm() {
      const { definition } = aim
      if (!definition.running) return confirmClaims(aim, machines, `VM ${definition.name} is off`)
      const names = await assessNames(definition, settings.resolver)
      if (names.state !== 'reached') return names
      return confirmClaims(aim, machines, `${haveAddresses(definition)}; ${names.message}`)
    },
  }
  const outcome = await waitFor(aim, machines, settings, here, unlessFurther(run, goal))
  return outcome.kind === 'refused' ? refused(`Cannot accept VM ${aim.definition.name}: ${outcome.message}`) : outcome
}

/** A goal that nobody waits for once the machine shows that the run has gone on. */
const unlessFurther = (run: Run, goal: Goal) => ({
  ...goal,
  isPast: ({ machine }: MachineView) => isFurther(run, machine),
})

/** No name leads to where the machine was any more, where a resolver is configured. */
async function absence(run: Run, settings: Settings, here: Here): Promise<Outcome> {
  const names = run.facts.dns ?? []
  const { resolver } = settings
  if (!resolver) return succeeded(`Released what ${run.facts.name} had; no resolver is configured to ask for its names`)
  let left = ''
  while (!here.patience.aborted) {
    const found = await Promise.all(names.map(({ dnsName, recordType }) => resolver.resolve(dnsName, recordType)))
    // A name that nobody can be asked for may still resolve; one that leads elsewhere by now is somebody else's.
    left = names
      .flatMap(({ dnsName, targets }, index) => {
        const now = found[index]
        if (now === undefined) return [`${dnsName} (no name server answers)`]
        return now.some((target) => targets.map(plainName).includes(plainName(target))) ? [dnsName] : []
      })
      .join(', ')
    if (left === '') return succeeded(`No name server knows ${run.facts.name} any more`)
    await here.progress(`Waiting until these names are gone: ${left}`)
    await new Promise((done) => setTimeout(done, 500))
  }
  return notYet(`These names still resolve: ${left}`)
}

function aimOf({ id, facts }: Run): Aim {
  const { definition, revision } = facts
  if (!definition) throw new DroverError('unreadable', `Cannot wait: run ${id} has no definition`)
  return { run: id, definition, revision, facts }
}

/** The claims of the machine's data as they are; one that came anew since it was recorded is not the machine's. */
async function confirmClaims({ definition, facts }: Aim, machines: Machines, message: string): Promise<Assessment> {
  const { claims, problems } = await lookAtData(machines, definition, facts.claims)
  return problems.length > 0 ? failed(problems.join('; ')) : reached(message, { claims })
}
