import { describe, expect, it } from 'vitest'
import { DroverError } from '../../../shared/errors.ts'
import type { Event } from '../../../shared/event.ts'
import { sweep } from '../../../shared/event-types.ts'
import type { ShellOptions } from '../../../shared/shell/work.ts'
import { ignored, notYet, refused, type Step, succeeded } from '../../../shared/step.ts'
import { deadLetters, deliveries, retries, runEnds } from '../../../shared/telemetry/metrics.ts'
import { runOf } from '../../examples/starter.ts'
import { chainEvent, requestEvent } from '../events.ts'
import { growth } from '../metrics.ts'
import { shellOf } from '../shells.ts'

const throws = (error: unknown): Step => {
  return async () => {
    throw error
  }
}
const stranded: Step = async () => ({ kind: 'stranded', message: 'a person must look' })
const unsigned = (): Event => {
  const { extensions, ...event } = chainEvent('validate')
  return { ...event, extensions: { ...extensions, signature: 'k1.none' } }
}
const past = { deadline: '2030-01-01T10:29:59.000Z' }

/** What each decision is logged as: the step, the event, what came of it, the answer, and how loud the line is. */
const table: [string, Step, Event, { outcome: string; status: number; level: number; step?: string }][] = [
  ['success', async () => succeeded('ok'), chainEvent('validate'), { outcome: 'succeeded', status: 200, level: 30 }],
  ['a refusal', async () => refused('no'), chainEvent('validate'), { outcome: 'refused', status: 200, level: 30 }],
  ['a stranded run', stranded, chainEvent('validate'), { outcome: 'stranded', status: 200, level: 50 }],
  ['a wait', async () => notYet('wait'), chainEvent('validate'), { outcome: 'notYet', status: 503, level: 30 }],
  ['a late event', async () => ignored('late'), chainEvent('validate'), { outcome: 'ignored', status: 204, level: 30 }],
  [
    'an upstream that is busy',
    throws(new DroverError('busy', 'Cannot: busy')),
    chainEvent('validate'),
    { outcome: 'failed', status: 503, level: 40 },
  ],
  ['an error', throws(new Error('bug')), chainEvent('validate'), { outcome: 'failed', status: 500, level: 50 }],
  [
    'an error when the time is up',
    throws(new Error('bug')),
    chainEvent('validate', past),
    { outcome: 'refused', status: 200, level: 50 },
  ],
]

const read = (lines: string[]) => lines.map((line) => JSON.parse(line) as Record<string, unknown>)

describe('the log', () => {
  it.each(table)('has one line for %s, with run, step and causation', async (_, step, event, expected) => {
    const { deliver, lines } = shellOf(step)
    await deliver(event)
    expect(read(lines)).toEqual([
      expect.objectContaining({
        ...expected,
        run: event.extensions['runid'],
        lifecycle: 'provision',
        step: 'name',
        causation: event.id,
        type: event.type,
        milliseconds: expect.any(Number),
        msg: expect.any(String),
      }),
    ])
  })

  it('names the run of a request, which does not know it yet, and what was answered', async () => {
    const { deliver, lines } = shellOf()
    const answer = await deliver(requestEvent())
    const [line, ...others] = read(lines)
    expect(others).toEqual([])
    if (!('event' in answer)) throw new Error('no event was answered')
    expect(line).toMatchObject({ run: answer.event.extensions['runid'], step: 'validate', answered: answer.event.type })
    expect(answer.event.extensions['causationid']).toBe(line?.['causation'])
  })

  it.each<[string, () => Event, object]>([
    ['nobody signed', unsigned, { outcome: 'declined', status: 403, level: 40 }],
    ['nothing follows from', () => requestEvent({ type: 'com.example.other' }), { outcome: 'declined', status: 400 }],
  ])('has one line for an event that %s, though no step was asked', async (_, event, expected) => {
    const { deliver, lines } = shellOf()
    await deliver(event())
    expect(read(lines)).toEqual([expect.objectContaining({ ...expected, causation: event().id })])
  })

  it('has one line for a dead letter', async () => {
    const { bury, lines } = shellOf()
    await bury(chainEvent('validate'))
    expect(read(lines)).toEqual([expect.objectContaining({ outcome: 'buried', step: 'name', status: 204, level: 50 })])
  })

  it('has one line for a tick, and one for each run that goes on', async () => {
    const step: Step = async () => succeeded('never asked')
    const standing = ['name', 'address'].map((task) => ({ run: runOf({ task, id: task }), outcome: succeeded('lost') }))
    const look = { standing, open: [], networks: [], unreadable: [], problems: [] }
    const wired: ShellOptions['wired'] = async () => ({ step, sweep: async () => look, post: async () => undefined })
    const { deliver, lines } = shellOf(step, { wired })
    await deliver({ id: 'tick', source: '/timer', type: sweep.type, extensions: {}, data: {} })
    expect(read(lines)).toEqual([
      expect.objectContaining({ run: 'name', step: 'name', level: 40, causation: 'tick', msg: 'lost' }),
      expect.objectContaining({ run: 'address', step: 'address', level: 40, causation: 'tick', msg: 'lost' }),
      expect.objectContaining({ outcome: 'swept', status: 204, causation: 'tick' }),
    ])
  })

  it('tells the progress of a step beside its decision, which alone has an outcome', async () => {
    const { deliver, lines } = shellOf(async (_, here) => {
      await here.progress('the disk is imported')
      return notYet('the disk is imported')
    })
    await deliver(chainEvent('validate'))
    expect(read(lines).filter(({ outcome }) => outcome !== undefined)).toHaveLength(1)
    expect(read(lines)).toHaveLength(2)
  })
})

describe('the metrics', () => {
  it.each(table)('count %s by the status of its answer', async (_, step, event, { status }) => {
    expect(await growth('drover_deliveries_total', { status }, () => shellOf(step).deliver(event))).toBe(1)
  })

  it.each([
    ['is given back', async () => notYet('wait'), 1],
    ['is answered', async () => succeeded('ok'), 0],
  ] satisfies [string, Step, number][])('count a delivery that %s as so many retries', async (_, step, by) => {
    const act = () => shellOf(step).deliver(chainEvent('validate'))
    expect(await growth('drover_retries_total', { of: 'delivery' }, act)).toBe(by)
  })

  it('count the end of a run by how it ended', async () => {
    const labels = { lifecycle: 'provision', end: 'stranded' }
    const act = () => shellOf(stranded).deliver(chainEvent('validate'))
    expect(await growth('drover_run_ends_total', labels, act)).toBe(1)
  })

  it('count a dead letter by its task, and one of somebody else’s chain apart', async () => {
    const ours = () => shellOf().bury(chainEvent('validate'))
    expect(await growth('drover_dead_letters_total', { task: 'name' }, ours)).toBe(1)
    expect(await growth('drover_dead_letters_total', { task: 'none' }, () => shellOf().bury(unsigned()))).toBe(1)
  })

  // The Broker delivers it again until then: it is one dead letter.
  it('count a dead letter only once what it says is posted', async () => {
    const post = () => Promise.reject(new Error('the Broker is away'))
    const wired: ShellOptions['wired'] = async () => ({ step: async () => succeeded('never asked'), post })
    const act = () => shellOf(undefined, { wired }).bury(chainEvent('validate'))
    expect(await growth('drover_dead_letters_total', { task: 'name' }, act)).toBe(0)
  })

  it('have no other label than the table of instruments says', async () => {
    for (const [metric, labels] of [
      [deliveries, ['status']],
      [retries, ['of']],
      [runEnds, ['end', 'lifecycle']],
      [deadLetters, ['task']],
    ] as const) {
      const { values } = await metric.get()
      expect(values.length).toBeGreaterThan(0)
      for (const one of values) expect(Object.keys(one.labels).sort()).toEqual([...labels])
    }
  })
})
