import type { Event } from '../event.ts'
import { taskFor } from '../event-types.ts'
import { undo } from '../lifecycles.ts'
import type { Says, Work } from '../run.ts'
import { isSigned } from '../signature.ts'
import { deadLetters } from '../telemetry/metrics.ts'
import { countEnd, type Decided } from './decided.ts'
import { cannot, failed, reply, saysOf } from './reply.ts'
import { noteStranded } from './stranded.ts'
import { type ShellOptions, toWork } from './work.ts'

/**
 * A dead letter: the Broker gave up on a step, so the run fails at that step. The Broker ignores what a dead letter
 * sink answers, so the event that wakes the undo is posted.
 */
export async function bury(event: Event, options: ShellOptions): Promise<Decided> {
  const found = taskFor(event.type)
  const isRequest = event.type.endsWith('.requested')
  if (!found || (!isRequest && !isSigned(event, options.keys()))) {
    deadLetters.inc({ task: 'none' })
    return { answer: { status: 204 }, outcome: 'buried', message: 'Buried: a dead letter that is not of our chain' }
  }
  const work = toWork(event, { ...options, name: undefined })
  const { post } = await options.wired(undo.by)
  if (!post) throw new Error('there is no Broker to tell')
  const message = `${cannot(work.task)}: the Broker gave up after ${lastAnswer(event)}`
  const dead = { ...work, source: '/drover/recover' }
  const says = work.task.name === undo.name ? await endOf(work, message, options) : failed(work, message, options)
  if (says) {
    const told = reply(dead, says, options)
    await post(told)
    countEnd(work, told.type)
  }
  // Not before: while the Broker is away it comes again and again.
  deadLetters.inc({ task: work.task.name })
  return { answer: { status: 204 }, outcome: 'buried', message, work }
}

/** How a run ends whose undo is given up; undefined where another delivery of it has said, or will. */
async function endOf(work: Work, message: string, options: ShellOptions): Promise<Says | undefined> {
  const stranded = `${message}; a person must look at it`
  const instead = await noteStranded(work.run, stranded, options)
  if (!instead) return { fact: 'stranded', status: 'failure', message: stranded }
  return instead.kind === 'ignored' || instead.kind === 'notYet' ? undefined : saysOf(instead, work, options)
}

/** What the subscriber answered last, as Knative tells it; our own error bodies are sentences without secrets. */
function lastAnswer({ extensions }: Event): string {
  const { knativeerrorcode: code, knativeerrordata: data } = extensions
  if (!code) return 'deliveries that were not answered'
  const words = data ? Buffer.from(data, 'base64').toString('utf8') : ''
  return /^Cannot [\x20-\x7e]{1,493}$/.test(words) ? `the answer ${code}: ${words}` : `the answer ${code}`
}
