import { SpanStatusCode } from '@opentelemetry/api'
import pino from 'pino'
import { describe, expect, it } from 'vitest'
import { DroverError } from '../../../shared/errors.ts'
import type { Work } from '../../../shared/run.ts'
import { type Decided, failedBy, tell } from '../../../shared/shell/decided.ts'
import { toWork } from '../../../shared/shell/work.ts'
import type { Span } from '../../../shared/telemetry/traces.ts'
import { chainEvent, keys, now } from '../events.ts'
import { growth } from '../metrics.ts'

const answered = chainEvent('name')
const work: Work = toWork(chainEvent('validate'), {
  name: undefined,
  wired: () => expect.fail('nothing is done'),
  keys: () => keys,
  limits: { deadlineMinutes: 30, undoMinutes: 15 },
  patienceMilliseconds: 1_000,
  now: () => now,
  log: pino({ level: 'silent' }),
})
const error = new Error('hunter2')

/** What log and span are told of a decision that took a second and a half. */
function told(decided: Decided) {
  const span: { name?: string; attributes?: object; failure?: string } = {}
  const lines: string[] = []
  const fake = {
    updateName: (name: string) => void Object.assign(span, { name }),
    setAttributes: (attributes: object) => void Object.assign(span, { attributes }),
    setStatus: ({ code, message }: { code: SpanStatusCode; message: string }) =>
      void Object.assign(span, code === SpanStatusCode.ERROR && { failure: message }),
  }
  tell(decided, pino({}, { write: (line: string) => void lines.push(line) }), fake as unknown as Span, 1.5)
  const [line, ...more] = lines.map((one) => JSON.parse(one) as Record<string, unknown>)
  expect(more).toEqual([])
  return { span, line }
}

const decided = (changes: Partial<Decided> = {}): Decided => ({
  ...{ answer: { status: 200, event: answered }, outcome: 'succeeded', message: 'named it', work },
  ...changes,
})

describe('what is told of a decision', () => {
  it('is the run, the task and how long it took, in the log and in the span', () => {
    const { span, line } = told(decided())
    const of = { lifecycle: 'provision', step: 'name' }
    expect(line).toMatchObject({
      ...of,
      ...{ level: 30, outcome: 'succeeded', status: 200, answered: answered.type, milliseconds: 1500, msg: 'named it' },
    })
    expect(line).not.toHaveProperty('err')
    expect(span).toEqual({
      name: 'provision name',
      attributes: {
        'drover.outcome': 'succeeded',
        'drover.run': work.run.id,
        'drover.lifecycle': 'provision',
        'drover.task': 'name',
      },
    })
  })

  it('is of what was no work for anybody what came of it, and nothing of a run', () => {
    const { work: _, ...nobody } = decided({ answer: { status: 204 }, outcome: 'swept', message: 'Looked' })
    const { span, line } = told(nobody)
    expect(span).toEqual({ attributes: { 'drover.outcome': 'swept' } })
    expect(line).not.toHaveProperty('step')
    expect(line).not.toHaveProperty('answered')
  })

  const sentence = 'Cannot read it'
  const left = { status: 200, event: { ...answered, type: 'dev.drover.provision.stranded' } } as const
  it.each<[string, Partial<Decided>, level: number, failure: string | undefined]>([
    ['a success', {}, 30, undefined],
    ['a wait', { outcome: 'notYet', answer: { status: 503, message: sentence } }, 30, undefined],
    ['what is over', { outcome: 'ignored', answer: { status: 204 } }, 30, undefined],
    ['a refusal', { outcome: 'refused', message: sentence }, 30, sentence],
    ['a run that is left to a person', { outcome: 'stranded', message: sentence, answer: left }, 50, sentence],
    ['an undo that is left to a person', { outcome: 'refused', message: sentence, answer: left }, 50, sentence],
    ['no event of ours', { outcome: 'declined', answer: { status: 400, message: sentence } }, 40, sentence],
    ['a forged event', { outcome: 'declined', answer: { status: 403, message: sentence } }, 40, sentence],
    ['somebody who is busy', { outcome: 'failed', error, answer: { status: 503, message: sentence } }, 40, sentence],
    ['an error', { outcome: 'failed', error, answer: { status: 500, message: sentence } }, 50, sentence],
    ['an error that an event tells of', { outcome: 'refused', error, message: sentence }, 50, sentence],
    ['a tick that failed', { outcome: 'swept', error, answer: { status: 204 }, message: sentence }, 50, sentence],
    ['a dead letter', { outcome: 'buried', answer: { status: 204 } }, 50, undefined],
  ])('is, of %s, as loud as it is bad, and a failed span where something failed', (_, changes, level, failure) => {
    const { span, line } = told(decided(changes))
    expect(line).toMatchObject({ level })
    expect(line?.['err']).toEqual(changes.error ? expect.objectContaining({ message: 'hunter2' }) : undefined)
    expect(span.failure).toBe(failure)
  })
})

describe('what is counted of a decision', () => {
  const busy = decided({ outcome: 'notYet', answer: { status: 503, message: 'Wait' } })
  const broken = decided({ outcome: 'failed', answer: { status: 500, message: 'Cannot' } })
  const ended = decided({ answer: { status: 200, event: { ...answered, type: 'dev.drover.provision.completed' } } })
  const { work: _, ...unknown } = ended

  it.each<[string, string, Record<string, string | number>, Decided, number]>([
    ['its status', 'drover_deliveries_total', { status: 503 }, busy, 1],
    ['that it comes again after 503', 'drover_retries_total', { of: 'delivery' }, busy, 1],
    ['that it comes again after 500', 'drover_retries_total', { of: 'delivery' }, broken, 1],
    ['no more than that of what is done', 'drover_retries_total', { of: 'delivery' }, ended, 0],
    ['its seconds', 'drover_step_seconds', { lifecycle: 'provision', task: 'name', outcome: 'notYet' }, busy, 1.5],
    ['the end of a run', 'drover_run_ends_total', { lifecycle: 'provision', end: 'completed' }, ended, 1],
    ['no end where the run goes on', 'drover_run_ends_total', {}, decided(), 0],
    ['no end of a run that nobody knows', 'drover_run_ends_total', {}, unknown, 0],
  ])('is %s', async (_, name, labels, one, by) => {
    expect(await growth(name, labels, () => told(one))).toBe(by)
  })
})

describe('an error', () => {
  it('of ours is known by its reason, and any other is broken', () => {
    expect(failedBy(new DroverError('busy', 'Cannot: busy'))).toMatchObject({ answer: { status: 503 } })
    expect(failedBy(error)).toMatchObject({ outcome: 'failed', error, message: 'hunter2', answer: { status: 500 } })
    expect(failedBy(error)).not.toHaveProperty('work')
    expect(failedBy(error, work)).toMatchObject({ work })
  })
})
