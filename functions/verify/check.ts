import { lookAtData } from '../../shared/claims.ts'
import { type Assessment, failed, reached } from '../../shared/goals/assessment.ts'
import type { Aim, Goal } from '../../shared/goals/goal.ts'
import { asDefined } from '../../shared/goals/goals.ts'
import { waitFor } from '../../shared/goals/wait.ts'
import type { Machines } from '../../shared/machines.ts'
import { type Here, type Outcome, type Run, refused } from '../../shared/step.ts'
import { aimOf, unlessFurther } from './aim.ts'
import { assessAddresses, assessNames, haveAddresses } from './assess.ts'
import type { Settings } from './settings.ts'

/** Looks at the running machine: its addresses are those allocated, its names resolve, its data is on the claims it was on. */
export async function check(run: Run, machines: Machines, settings: Settings, here: Here): Promise<Outcome> {
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

/** The claims of the machine's data as they are; one that came anew since it was recorded is not the machine's. */
async function confirmClaims({ definition, facts }: Aim, machines: Machines, message: string): Promise<Assessment> {
  const { claims, problems } = await lookAtData(machines, definition, facts.claims)
  return problems.length > 0 ? failed(problems.join('; ')) : reached(message, { claims })
}
