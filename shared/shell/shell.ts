import { DroverError } from '../errors.ts'
import { type Event, eventLimit } from '../event.ts'
import { sentAs } from '../event-data.ts'
import { isTick } from '../event-types.ts'
import type { Log } from '../log.ts'
import { runId, type Work } from '../run.ts'
import { type Here, isPastDeadline, type Outcome, type Run, refused, type Step } from '../step.ts'
import { continued, traceId } from '../telemetry/traces.ts'
import { bury } from './dead-letter.ts'
import { type Decided, failedBy, tell } from './decided.ts'
import { withPatience } from './patience.ts'
import { teller } from './progress.ts'
import { cannot, reply, saysOf } from './reply.ts'
import { noteStranded } from './stranded.ts'
import { tick } from './tick.ts'
import { type Answer, type Delivery, problemOf, type ShellOptions, toWork } from './work.ts'

/**
 * The one shell around every step: which task an event starts, whether to believe it, what to answer. Knative's rules
 * for answers: 200 with an event goes on, 204 ends, 5xx is delivered again, any other 4xx becomes a dead letter.
 */

export type Shell = (delivery: Delivery) => Promise<Answer>

/** The shell of one function, or of all of them. It never throws. */
export function createShell(options: ShellOptions): Shell {
  return (delivery) => {
    const { id, type, source, extensions } = delivery.event
    return continued(
      `handle ${isTick(type) ? 'tick' : delivery.dead ? 'dead letter' : 'event'}`,
      extensions,
      async (span) => {
        const started = performance.now()
        span.setAttributes({ 'cloudevents.event_id': id, 'cloudevents.event_type': type })
        const isRequest = type.endsWith('.requested') && !isTick(type)
        const run = isRequest ? runId(source, id) : extensions['runid']
        const trace = traceId()
        const log = options.log.child({ causation: id, type, ...(run && { run }), ...(trace && { trace }) })
        const decided = await decide(delivery, options, log).catch((error: unknown) => failedBy(error))
        tell(decided, log, span, (performance.now() - started) / 1_000)
        return decided.answer
      },
    )
  }
}

function decide({ event, dead }: Delivery, options: ShellOptions, log: Log): Promise<Decided> {
  if (dead) return bury(event, options)
  return isTick(event.type) ? tick(event, options, log) : work(event, options, log)
}

async function work(event: Event, options: ShellOptions, log: Log): Promise<Decided> {
  const started = toWork(event, options)
  try {
    return await perform(started, options, log)
  } catch (error) {
    const outcome = tooLate(error, started, options.now())
    if (!outcome) return failedBy(error, started)
    return { ...(await decidedBy(outcome, started, options)), error }
  }
}

async function perform(started: Work, options: ShellOptions, log: Log): Promise<Decided> {
  const { task, run } = started
  const wired = await options.wired(task.by)
  const { progress, told } = teller(started, wired, options, log)
  const act = (patience: AbortSignal) => outcomeOf(wired.step, run, { now: options.now, progress, patience })
  const problem = problemOf(started)
  const outcome =
    problem === undefined ? inTime(await withPatience(run, options, act), run, options.now()) : refused(problem)
  await told()
  return decidedBy(outcome, started, options)
}

async function decidedBy(given: Outcome, work: Work, options: ShellOptions): Promise<Decided> {
  const outcome = await unlessEnded(given, work, options)
  return { outcome: outcome.kind, message: outcome.message, work, answer: answerWith(outcome, work, options) }
}

/** A run is not left to a person that another delivery has ended meanwhile, or goes on with. */
async function unlessEnded(outcome: Outcome, work: Work, options: ShellOptions): Promise<Outcome> {
  if (outcome.kind === 'ignored' || outcome.kind === 'notYet') return outcome
  const { fact, message } = saysOf(outcome, work, options)
  return fact === 'stranded' ? ((await noteStranded(work.run, message, options)) ?? outcome) : outcome
}

function answerWith(outcome: Outcome, started: Work, options: ShellOptions): Answer {
  if (outcome.kind === 'ignored') return { status: 204 }
  if (outcome.kind === 'notYet') return { status: 503, message: outcome.message }
  const event = reply(started, saysOf(outcome, started, options), options)
  const bytes = Buffer.byteLength(sentAs(event.data) ?? '')
  if (bytes <= eventLimit) return { status: 200, event }
  // Nobody would read it, not even as a dead letter: the run would end in silence.
  const why = `Cannot tell what "${started.task.title}" came to: its event would be ${bytes} bytes long, wanted at most ${eventLimit}; make the customizations smaller`
  return { status: 200, event: reply(started, saysOf({ kind: 'refused', message: why }, started, options), options) }
}

async function outcomeOf(step: Step, run: Run, here: Here): Promise<Outcome> {
  try {
    return await step(run, here)
  } catch (error) {
    if (error instanceof DroverError && error.reason === 'refused') return { kind: 'refused', message: error.message }
    throw error
  }
}

/** Whoever still waits at the run's deadline gives up. */
function inTime(outcome: Outcome, run: Run, now: Date): Outcome {
  if (outcome.kind !== 'notYet' || !isPastDeadline(run, now)) return outcome
  return refused(`${outcome.message}; the run's time was up at ${run.deadline}`)
}

/**
 * How a task ends whose upstream still fails at the run's deadline; undefined while it may be tried again. The Broker's
 * own tries would take hours. Feedback has no deadline: the run has ended already, and the Broker gives up soon.
 */
function tooLate(error: unknown, { task, run }: Work, now: Date): Outcome | undefined {
  const known = error instanceof DroverError ? error : undefined
  if (known?.reason === 'unreadable' || known?.reason === 'forged') return undefined
  if (task.by === 'notify' || !isPastDeadline(run, now)) return undefined
  const why = known?.message ?? `${cannot(task)}: something this step needs has failed`
  return refused(`${why}; the run's time was up at ${run.deadline}`)
}
