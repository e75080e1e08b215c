import { describe, expect, it } from 'vitest'
import { DroverError } from '../../../shared/errors.ts'
import type { Event } from '../../../shared/event.ts'
import { sweep } from '../../../shared/event-types.ts'
import { type RunData, runId } from '../../../shared/run.ts'
import type { Wired } from '../../../shared/shell/work.ts'
import { isSigned } from '../../../shared/signature.ts'
import { type Outcome, refused, type Standstill, type Step, succeeded } from '../../../shared/step.ts'
import { runOf } from '../../examples/starter.ts'
import { chainEvent, keys, now } from '../events.ts'
import { shellOf } from '../shells.ts'

const tickOf = (changes: Partial<Event> = {}): Event => ({
  id: 'tick-1',
  source: '/apis/v1/namespaces/drover/pingsources/sweep',
  type: sweep.type,
  extensions: {},
  data: {},
  ...changes,
})
const step: Step = async () => succeeded('never asked')

/** Delivers a tick to a recover that finds these; what it posted, answered and logged. */
async function tickWith(standing: Standstill[], changes: Partial<Wired> = {}, event = tickOf()) {
  const posted: Event[] = []
  const wired: Wired = {
    step,
    sweep: async () => ({ standing, open: [], networks: [], unreadable: ['Cannot read one'], problems: [] }),
    post: async (one) => void posted.push(one),
    ...changes,
  }
  const { deliver, lines } = shellOf(step, { wired: async () => wired })
  const answer = await deliver(event)
  return { answer, posted, lines: lines.map((line) => JSON.parse(line)), log: lines.join('') }
}

const id = runId('/portal', 'order-1')
const of = (task: string) => runOf({ id, task, fact: task, facts: { name: 'web-01', cluster: 'site-a' } })

describe('the shell at a tick', () => {
  it('posts the event that was lost: the same id, type, subject and data, signed', async () => {
    const facts = { name: 'web-01', cluster: 'site-a' }
    const lost = chainEvent('address', { facts, message: 'going on' }, of('address'))
    const run = { ...of('address'), marks: { correlationid: 'order-7' } }
    const { answer, posted } = await tickWith([{ run, outcome: succeeded('going on') }])
    expect(answer).toEqual({ status: 204 })
    const { id: same, type, subject, data } = lost
    expect(posted).toMatchObject([{ id: same, type, subject, data, source: '/drover/recover' }])
    expect(posted[0]?.extensions).toMatchObject({
      runid: id,
      partitionkey: id,
      cluster: 'site-a',
      correlationid: 'order-7',
      hops: '3',
      causationid: 'tick-1',
    })
    expect(isSigned(posted[0] as Event, keys)).toBe(true)
  })

  it('posts a failure with time for the undo', async () => {
    const { posted } = await tickWith([{ run: of('create.verify'), outcome: refused('Cannot go on: too late') }])
    expect(posted).toMatchObject([
      {
        id: `${id}-create.verify.failed`,
        type: 'dev.drover.provision.create.verify.failed',
        data: {
          deadline: '2030-01-01T10:45:00.000Z',
          failure: { task: 'create.verify', message: 'Cannot go on: too late' },
        },
      },
    ])
  })

  it('posts the failure of an undo that is under way as it was, with the deadline that it has', async () => {
    const failure = { task: 'check', title: 'Check the machine', message: 'Cannot accept it' }
    const run = { ...of('check'), failure, deadline: '2030-01-01T10:31:00.000Z' }
    const { posted } = await tickWith([{ run, outcome: refused(failure.message) }])
    expect(posted).toMatchObject([
      { type: 'dev.drover.provision.check.failed', data: { failure, deadline: run.deadline } },
    ])
  })

  it('says in the log which runs were made to go on, and why others were not', async () => {
    const post = async ({ type }: Event) => {
      if (type.endsWith('.named')) throw new DroverError('broken', 'Cannot post it')
    }
    const standing = ['name', 'address', 'invented'].map((task) => ({ run: of(task), outcome: succeeded('going on') }))
    const { lines } = await tickWith(standing, { post })
    const about = (step: string) => lines.find((line) => line.step === step)
    const common = { run: id, lifecycle: 'provision' }
    expect(about('address')).toMatchObject({ ...common, level: 40, outcome: 'succeeded', msg: 'going on' })
    expect(about('name')).toMatchObject({ ...common, level: 50, err: expect.anything(), msg: 'Cannot post it' })
    expect(about('invented')).toMatchObject({
      level: 50,
      msg: `Cannot make run ${id} go on: its lifecycle has no task "invented"`,
    })
    expect(lines.at(-1)).toMatchObject({ outcome: 'swept', msg: 'Looked at 0 runs: made 1 of them go on' })
  })

  it('makes the others go on when one cannot be posted, and says what could not be read', async () => {
    const said: string[] = []
    const post = async ({ type }: Event) => {
      if (type.endsWith('.named')) throw new DroverError('broken', 'Cannot post it')
      said.push(type)
    }
    const both = ['name', 'address'].map((task) => ({ run: of(task), outcome: succeeded('going on') }))
    const { answer, log } = await tickWith(both, { post })
    expect([answer, said]).toEqual([{ status: 204 }, ['dev.drover.provision.allocated']])
    for (const text of ['Cannot post it', 'Cannot read one']) expect(log).toContain(text)
  })

  it.each<[string, Partial<Wired>, string]>([
    [
      'Git cannot be read',
      { sweep: () => Promise.reject(new DroverError('broken', 'Cannot read Git')) },
      'Cannot read Git',
    ],
    ['there is no Broker', { post: undefined }, 'Cannot make runs go on: there is no Broker to tell'],
  ])('does not ask for the tick again when %s: the next one comes', async (_, changes, log) => {
    const ticked = await tickWith([], changes)
    expect(ticked.answer).toEqual({ status: 204 })
    expect(ticked.log).toContain(log)
  })

  it.each([
    ['by hand', tickOf({ data: undefined, dataProblem: 'the event has no data' })],
    ['from a PingSource, which has a name of its own for it', tickOf({ type: 'dev.knative.sources.ping' })],
    ['with a text for data', tickOf({ data: 'x' })],
  ])('takes one that comes %s', async (_, event) => {
    const { posted } = await tickWith([{ run: of('name'), outcome: succeeded('going on') }], {}, event)
    expect(posted).toHaveLength(1)
  })

  it('refuses it in every other function', async () => {
    const { deliver } = shellOf(step, { name: 'validate' })
    expect(await deliver(tickOf())).toEqual({
      status: 400,
      message: 'Cannot handle an event of type "dev.drover.sweep.requested" in "validate": it is for "recover"',
    })
  })

  it('buries one that the Broker gave up on', async () => {
    const { bury, posted } = shellOf(step)
    expect(await bury(tickOf())).toEqual({ status: 204 })
    expect(posted).toEqual([])
  })
})

describe('the shell leaves a run to a person', () => {
  const failure = { task: 'check', title: 'Check the machine', message: 'Cannot accept it' }
  const failed = (run = {}) => chainEvent('check', { fact: 'check.failed', status: 'failure', failure }, run)

  /** What happened, in its order, in an undo that can never go on. */
  async function undoOf(outcome: Step, how: 'deliver' | 'bury', strand?: () => Promise<Outcome | undefined>) {
    const did: string[] = []
    const wired: Wired = {
      step: outcome,
      post: async ({ type }) => void did.push(`posted ${type}`),
      strand: async ({ id: run }, message) => {
        did.push(`${run}: ${message}`)
        return strand?.()
      },
    }
    const shell = shellOf(outcome, { wired: async () => wired, now: () => now })
    const answer = await shell[how](failed({ deadline: '2030-01-01T10:00:00.000Z' }))
    return { did, answer }
  }

  it('only once Git says so, when an undo gives up', async () => {
    const waits: Step = async () => ({ kind: 'notYet', message: 'Still there' })
    const message = "Still there; the run's time was up at 2030-01-01T10:00:00.000Z"
    const { did, answer } = await undoOf(waits, 'deliver')
    expect(did).toEqual([`${id}: ${message}`])
    expect(answer).toMatchObject({ status: 200, event: { type: 'dev.drover.provision.stranded', data: { message } } })
  })

  it('only once Git says so, when the Broker gives up on an undo', async () => {
    const { did } = await undoOf(step, 'bury')
    expect(did).toEqual([
      expect.stringMatching(new RegExp(`^${id}: Cannot undo what the run did: the Broker gave up`)),
      'posted dev.drover.provision.stranded',
    ])
  })

  it.each<[string, Outcome, string[]]>([
    ['was undone', succeeded('Everything was put back'), ['rolledback: Everything was put back']],
    ['is complete', { kind: 'succeeded', message: 'It is complete', end: 'completed' }, ['completed: It is complete']],
    ['goes on', { kind: 'ignored', message: 'It goes on' }, []],
  ])('not when it %s: a dead letter of an undo says that instead', async (_, outcome, said) => {
    const posted: Event[] = []
    const wired: Wired = { step, post: async (event) => void posted.push(event), strand: async () => outcome }
    expect(await shellOf(step, { wired: async () => wired }).bury(failed())).toEqual({ status: 204 })
    expect(posted.map(({ type, data }) => `${type.split('.').at(-1)}: ${(data as RunData).message}`)).toEqual(said)
  })

  it.each<[string, Outcome, string]>([
    ['was undone', succeeded('Everything was put back'), '200 dev.drover.provision.rolledback'],
    ['is complete', { kind: 'succeeded', message: 'x', end: 'completed' }, '200 dev.drover.provision.completed'],
    ['goes on', { kind: 'ignored', message: 'It goes on' }, '204'],
    ['is being closed', { kind: 'notYet', message: 'Not yet' }, '503'],
  ])('not when it %s by another delivery: this one says that instead', async (_, instead, said) => {
    const waits: Step = async () => ({ kind: 'notYet', message: 'Still there' })
    const { answer } = await undoOf(waits, 'deliver', async () => instead)
    expect([answer.status, ...(answer.status === 200 ? [answer.event.type] : [])].join(' ')).toBe(said)
  })

  it.each(['deliver', 'bury'] as const)(
    'not while Git cannot be told: a tick would go on with it (%s)',
    async (how) => {
      const waits: Step = async () => ({ kind: 'notYet', message: 'Still there' })
      const away = () => Promise.reject(new DroverError('busy', 'Cannot reach Git'))
      const { did, answer } = await undoOf(waits, how, away)
      expect(answer).toMatchObject({ status: 503 })
      expect(did.filter((what) => !what.startsWith(id))).toEqual([])
    },
  )
})
