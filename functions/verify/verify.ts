import { DroverError } from '../../shared/errors.ts'
import { attempts, goals } from '../../shared/goals/goals.ts'
import { waitFor } from '../../shared/goals/wait.ts'
import { isImageRound, roundOf } from '../../shared/lifecycles.ts'
import type { Machines } from '../../shared/machines.ts'
import { isPlan } from '../../shared/plan.ts'
import { type Here, type Outcome, type Run, refused, succeeded } from '../../shared/step.ts'
import { absence } from './absence.ts'
import { aimOf, unlessFurther } from './aim.ts'
import { check } from './check.ts'
import { consequences } from './consequences.ts'
import type { Settings } from './settings.ts'

/** Waits for what the task is about, and says what was seen. */
export async function verify(run: Run, machines: Machines, settings: Settings, here: Here): Promise<Outcome> {
  if (isPlan(run)) return succeeded('Would wait for it', consequences(run))
  if (run.task === 'absence') return absence(run, settings.resolver, here)
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
