import { createHash } from 'node:crypto'
import { DroverError, messageOf } from './errors.ts'
import { type Event, eventLimit } from './event.ts'
import { eventTypes, type FunctionName, type Lifecycle, type Task, taskFor, terminals, undo } from './lifecycles.ts'
import type { Log } from './log.ts'
import { isLoop, type Limits, type Says, toReply, toRun } from './run.ts'
import { isSigned, type SigningKey } from './signature.ts'
import { type Here, type Outcome, type Run, refused, type Step } from './step.ts'

/**
 * The one shell around every step: which task an event starts, whether to believe it, what to answer. Knative's rules
 * for answers: 200 with an event goes on, 204 ends, 5xx is delivered again, any other 4xx becomes a dead letter.
 */

/** What a function's index.ts wires. */
export interface Wired {
  step: Step
  /** Posts an event to the Broker; undefined where there is none, and progress is then only logged. */
  post: ((event: Event) => Promise<void>) | undefined
  close?: () => Promise<void>
}

export type Answer =
  | { status: 200; event: Event }
  | { status: 204 }
  | { status: 400 | 403 | 500 | 503; message: string }

export interface ShellOptions {
  /** The function that is served; undefined: any, by event type. */
  name: FunctionName | undefined
  wired: (name: FunctionName) => Promise<Wired>
  keys: readonly SigningKey[]
  limits: Limits
  patienceMilliseconds: number
  now: () => Date
  log: Log
}

/** One event as it came, `dead` when the Broker had given up on it. */
export interface Delivery {
  event: Event
  dead: boolean
}

interface Work {
  event: Event
  lifecycle: Lifecycle
  task: Task
  run: Run
  source: string
}

export type Shell = (delivery: Delivery) => Promise<Answer>

/** The shell of one function, or of all of them. It never throws. */
export function createShell(options: ShellOptions): Shell {
  return async (delivery) => {
    const started = options.now().getTime()
    const log = options.log.child({ event: delivery.event.id, type: delivery.event.type })
    try {
      const answer = delivery.dead ? await bury(delivery.event, options, log) : await work(delivery.event, options, log)
      log.info({ status: answer.status, milliseconds: options.now().getTime() - started }, summary(answer))
      return answer
    } catch (error) {
      return answerTo(error, log)
    }
  }
}

const summary = (answer: Answer) =>
  'event' in answer ? answer.event.type : 'message' in answer ? answer.message : 'nothing to answer'

/** Errors by their reason; what is not ours is broken, and its words stay in the log. */
function answerTo(error: unknown, log: Log): Answer {
  const reason = error instanceof DroverError ? error.reason : 'broken'
  if (reason === 'unreadable' || reason === 'forged') {
    log.warn(messageOf(error))
    return { status: reason === 'forged' ? 403 : 400, message: messageOf(error) }
  }
  if (reason === 'busy') return { status: 503, message: messageOf(error) }
  log.error({ err: error }, messageOf(error))
  return { status: 500, message: 'Cannot go on: something this step needs has failed, the log has the cause' }
}

async function work(event: Event, options: ShellOptions, log: Log): Promise<Answer> {
  const started = read(event, options)
  try {
    return await perform(started, options, log)
  } catch (error) {
    const outcome = tooLate(error, started, options.now())
    if (!outcome) throw error
    log.error({ err: error, run: started.run.id, task: started.task.name }, outcome.message)
    return answerWith(outcome, started, options)
  }
}

async function perform(started: Work, options: ShellOptions, log: Log): Promise<Answer> {
  const { task, run } = started
  const wired = await options.wired(task.by)
  const progress = teller(started, wired, options, log)
  const here: Here = { now: options.now, progress, patience: AbortSignal.timeout(patienceFor(run, options)) }
  const problem = problemOf(started)
  const outcome =
    problem === undefined ? inTime(await outcomeOf(wired.step, run, here), run, options.now()) : refused(problem)
  log.info({ run: run.id, task: task.name, outcome: outcome.kind }, outcome.message)
  return answerWith(outcome, started, options)
}

function answerWith(outcome: Outcome, started: Work, options: ShellOptions): Answer {
  if (outcome.kind === 'ignored') return { status: 204 }
  if (outcome.kind === 'notYet') return { status: 503, message: outcome.message }
  const event = reply(started, saysOf(outcome, started, options), options)
  const bytes = Buffer.byteLength(JSON.stringify(event.data))
  if (bytes <= eventLimit) return { status: 200, event }
  // Nobody would read it, not even as a dead letter: the run would end in silence.
  const why = `Cannot tell what "${started.task.title}" came to: its event would be ${bytes} bytes long, wanted at most ${eventLimit}; make the customizations smaller`
  return { status: 200, event: reply(started, saysOf(refused(why), started, options), options) }
}

/** What is to be done for an event, once it is believed. */
function read(event: Event, options: ShellOptions): Work {
  const found = taskFor(event.type)
  if (!found) {
    const why = eventTypes().some(({ type }) => type === event.type) ? 'nothing follows from it' : 'no lifecycle has it'
    throw new DroverError('unreadable', `Cannot handle an event of type ${quoted(event.type)}: ${why}`)
  }
  const { lifecycle, task } = found
  if (options.name !== undefined && options.name !== task.by) {
    throw new DroverError(
      'unreadable',
      `Cannot handle an event of type ${quoted(event.type)} in "${options.name}": it is for "${task.by}"`,
    )
  }
  if (isLoop(event))
    throw new DroverError('unreadable', 'Cannot handle the event: its run has gone through too many hops')
  const fact = event.type.slice(event.type.indexOf(lifecycle.name) + lifecycle.name.length + 1)
  if (fact !== 'requested' && event.dataProblem !== undefined)
    throw new DroverError('unreadable', `Cannot read the event: ${event.dataProblem}`)
  if (fact !== 'requested' && !isSigned(event, options.keys)) {
    throw new DroverError(
      'forged',
      'Cannot believe the event: it is not signed by Drover, and only a "requested" event may come from outside',
    )
  }
  const run = toRun(event, fact, lifecycle, task, options.now(), options.limits)
  return { event, lifecycle, task, run, source: `/drover/${task.by}` }
}

/** What is wrong with a request before anybody looks at what it asks for. */
function problemOf({ event, run }: Work): string | undefined {
  const claimed = event.extensions['runid']
  if (run.fact !== 'requested') return undefined
  if (event.dataProblem !== undefined) return `Cannot read the request: ${event.dataProblem}`
  if (claimed === undefined || claimed === run.id) return undefined
  return `Cannot take the request: its runid is ${quoted(claimed)}, but a run's id follows from the event's source and id and is "${run.id}" here; leave the attribute out`
}

/** A delivery waits as long as the Broker lets it, but beyond the run's deadline only for one last look. */
function patienceFor(run: Run, { now, patienceMilliseconds }: ShellOptions): number {
  return Math.min(patienceMilliseconds, Math.max(lastLook, Date.parse(run.deadline) - now().getTime()))
}

const lastLook = 500

const quoted = (text: string) => JSON.stringify(text.slice(0, 100))

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
  if (outcome.kind !== 'notYet' || !isOver(run, now)) return outcome
  return refused(`${outcome.message}; the run's time was up at ${run.deadline}`)
}

const isOver = (run: Run, now: Date) => now.getTime() >= Date.parse(run.deadline)

/**
 * How a task ends whose upstream still fails at the run's deadline; undefined while it may be tried again. The Broker's
 * own tries would take hours. Feedback has no deadline: the run has ended already, and the Broker gives up soon.
 */
function tooLate(error: unknown, { task, run }: Work, now: Date): Outcome | undefined {
  const known = error instanceof DroverError ? error : undefined
  if (known?.reason === 'unreadable' || known?.reason === 'forged') return undefined
  if (task.by === 'notify' || !isOver(run, now)) return undefined
  const why = known?.message ?? `Cannot ${lowerFirst(task.title)}: something this step needs has failed`
  return refused(`${why}; the run's time was up at ${run.deadline}`)
}

function saysOf(outcome: Exclude<Outcome, { kind: 'ignored' | 'notYet' }>, work: Work, options: ShellOptions): Says {
  const { run, lifecycle, task } = work
  const { message } = outcome
  // An undo is not undone: when it cannot go on, a person must look.
  if (outcome.kind === 'refused' && task.name === undo.name)
    return saysOf({ ...outcome, kind: 'stranded' }, work, options)
  if (outcome.kind === 'refused')
    return { ...failed(task, message, options), facts: { ...run.facts, ...outcome.facts } }
  if (outcome.kind === 'stranded')
    return { fact: 'stranded', status: 'failure', message, facts: { ...run.facts, ...outcome.facts } }
  const facts = { ...run.facts, ...outcome.facts }
  // The definition is in Git from the commit on; nobody after the chain's last wait needs it in an event.
  if ((terminals as readonly string[]).includes(task.done) || lifecycle.tasks.at(-1) === task) delete facts.definition
  const status = task.done === 'rolledback' ? 'failure' : 'success'
  return { fact: task.done, status, message, facts, ...(outcome.changes ? { changes: outcome.changes } : {}) }
}

/** A failed task: what is undone next has its own deadline. */
function failed(task: Task, message: string, options: ShellOptions): Says {
  const deadline = new Date(options.now().getTime() + options.limits.undoMinutes * 60_000).toISOString()
  return {
    fact: `${task.name}.failed`,
    status: 'failure',
    message,
    failure: { task: task.name, title: task.title, message },
    deadline,
  }
}

const reply = ({ event, run, lifecycle, task, source }: Work, says: Says, options: ShellOptions): Event =>
  toReply(event, run, lifecycle, task, source, options.now(), says, options.keys)

/** How long the work waits for the Broker to take a progress event, in milliseconds. */
const brief = 250

/**
 * Tells progress through the Broker, each message once; a Broker that cannot be reached must not stop the work, and a
 * slow one not hold it up. While it is fast, progress comes before the answer that it leads to.
 */
function teller(work: Work, wired: Wired, options: ShellOptions, log: Log): Here['progress'] {
  let last = ''
  return async (message) => {
    if (message === last) return
    last = message
    log.info({ run: work.run.id, task: work.task.name }, message)
    const digest = createHash('sha256').update(message).digest('hex').slice(0, 12)
    const fact = `${work.task.name}.progressing`
    const event = reply(work, { fact, id: `${fact}-${digest}`, status: 'progress', message }, options)
    const posting = wired.post?.(event).catch((err) => log.warn({ err }, 'Cannot tell progress'))
    if (posting) await within(brief, posting)
  }
}

/** Resolves when the promise does, or when the time is up. */
async function within(milliseconds: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise((done) => {
    timer = setTimeout(done, milliseconds)
  })
  await Promise.race([promise, timeout])
  clearTimeout(timer)
}

/**
 * A dead letter: the Broker gave up on a step, so the run fails at that step. The Broker ignores what a dead letter
 * sink answers, so the event that wakes the undo is posted.
 */
async function bury(event: Event, options: ShellOptions, log: Log): Promise<Answer> {
  const found = taskFor(event.type)
  const isRequest = event.type.endsWith('.requested')
  if (!found || (!isRequest && !isSigned(event, options.keys))) {
    log.warn('Buried: a dead letter that is not of our chain')
    return { status: 204 }
  }
  const work = read(event, { ...options, name: undefined })
  const { post } = await options.wired('recover')
  if (!post) throw new Error('there is no Broker to tell')
  const message = `Cannot ${lowerFirst(work.task.title)}: the Broker gave up after ${lastAnswer(event)}`
  const dead = { ...work, source: '/drover/recover' }
  const says =
    work.task.name === undo.name
      ? ({ fact: 'stranded', status: 'failure', message: `${message}; a person must look at it` } as const)
      : failed(work.task, message, options)
  await post(reply(dead, says, options))
  log.error({ run: work.run.id, task: work.task.name }, message)
  return { status: 204 }
}

const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1)

/** What the subscriber answered last, as Knative tells it; our own error bodies are sentences without secrets. */
function lastAnswer({ extensions }: Event): string {
  const { knativeerrorcode: code, knativeerrordata: data } = extensions
  if (!code) return 'deliveries that were not answered'
  const words = data ? Buffer.from(data, 'base64').toString('utf8') : ''
  return /^Cannot [\x20-\x7e]{1,493}$/.test(words) ? `the answer ${code}: ${words}` : `the answer ${code}`
}
