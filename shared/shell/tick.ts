import { DroverError, messageOf } from '../errors.ts'
import type { Event } from '../event.ts'
import { sweep } from '../event-types.ts'
import { knownLifecycle } from '../lifecycles.ts'
import type { Log } from '../log.ts'
import type { Standstill } from '../step.ts'
import { showFleet } from '../telemetry/fleet.ts'
import { resumedRuns } from '../telemetry/metrics.ts'
import { continued, failSpanBy } from '../telemetry/traces.ts'
import type { Decided } from './decided.ts'
import { reply, saysOf } from './reply.ts'
import type { ShellOptions } from './work.ts'

/**
 * A tick: the runs whose events were lost go on. What could not be done now waits for the next tick: a tick that was
 * delivered again and again would only meet it.
 */
export async function tick(event: Event, options: ShellOptions, log: Log): Promise<Decided> {
  if (options.name !== undefined && options.name !== sweep.by) {
    const why = `in "${options.name}": it is for "${sweep.by}"`
    throw new DroverError('unreadable', `Cannot handle an event of type "${sweep.type}" ${why}`)
  }
  try {
    const { sweep: look, post } = await options.wired(sweep.by)
    if (!look || !post) throw new Error('Cannot make runs go on: there is no Broker to tell')
    const swept = await look(options.now())
    showFleet(swept, options.now())
    for (const problem of [...swept.unreadable, ...swept.problems]) log.warn(problem)
    const went = await Promise.all(swept.standing.map((one) => goOn(one, event, post, options, log)))
    const message = `Looked at ${swept.open.length} runs: made ${went.filter(Boolean).length} of them go on`
    return { ...done, message }
  } catch (error) {
    return { ...done, message: messageOf(error), error }
  }
}

const done = { answer: { status: 204 }, outcome: 'swept' } as const

/** Answers whether it was told: where not, the log has the cause. */
async function goOn(
  standstill: Standstill,
  event: Event,
  post: (event: Event) => Promise<void>,
  options: ShellOptions,
  log: Log,
): Promise<boolean> {
  const { run, outcome } = standstill
  const fields = { run: run.id, lifecycle: run.lifecycle, step: run.task, outcome: outcome.kind }
  // What is said again belongs to the run's trace, not to that of the tick.
  return continued(`go on with ${run.lifecycle}`, run.marks, async (span) => {
    span.setAttributes({ 'drover.run': run.id, 'drover.lifecycle': run.lifecycle, 'drover.task': run.task })
    try {
      await post(toEvent(standstill, event, options))
      resumedRuns.inc({ lifecycle: run.lifecycle })
      log.warn(fields, outcome.message)
      return true
    } catch (error) {
      failSpanBy(span, error)
      log.error({ ...fields, err: error }, messageOf(error))
      return false
    }
  })
}

/** The event that was lost: its id, its type and what it says of the run, but for its sentence. */
function toEvent({ run, outcome }: Standstill, event: Event, options: ShellOptions): Event {
  const lifecycle = knownLifecycle(run.lifecycle)
  const at = lifecycle?.tasks.findIndex(({ name }) => name === run.task) ?? -1
  const task = lifecycle?.tasks[at]
  if (!lifecycle || !task) throw new Error(`Cannot make run ${run.id} go on: its lifecycle has no task "${run.task}"`)
  // So many events lie between a request and what this task says.
  const cause = { ...event, extensions: { hops: String(at) } }
  const work = { event: cause, lifecycle, task, run, source: `/drover/${sweep.by}` }
  const says = saysOf(outcome, work, options)
  // An undo that is under way keeps its deadline.
  return reply(work, run.failure ? { ...says, failure: run.failure, deadline: run.deadline } : says, options)
}
