import { describe, expect, it } from 'vitest'
import type { Event } from '../../shared/event.ts'
import { type Lifecycle, lifecycles } from '../../shared/lifecycles.ts'
import { hopsOf, isLoop, isTerminal, runId, toRun } from '../../shared/run.ts'
import { chainEvent, now, requestEvent, taskCalled } from './events.ts'

const limits = { deadlineMinutes: 30, undoMinutes: 15 }
const lifecycle = lifecycles[0] as Lifecycle
const requested = (changes: Partial<Event> = {}) =>
  toRun(requestEvent(changes), 'requested', lifecycle, taskCalled('validate'), now, limits)

describe('a run', () => {
  it('is the same for the same source and id, and only for them', () => {
    const ids = [runId('/a', '1'), runId('/a', '1'), runId('/a', '2'), runId('/b', '1'), runId('/a\n1', '')]
    expect(new Set(ids).size).toBe(4)
    expect(ids[0]).toMatch(/^[0-9a-f]{20}$/)
  })

  it('begins with the request alone', () => {
    expect(requested()).toMatchObject({
      id: runId('/portal', 'order-1'),
      task: 'validate',
      facts: {},
      since: '2030-01-01T10:00:00.000Z',
      deadline: '2030-01-01T11:00:00.000Z',
    })
  })

  it.each<[unknown, string]>([
    [undefined, '2030-01-01T11:00:00.000Z'],
    [5, '2030-01-01T10:35:00.000Z'],
    [1, '2030-01-01T10:31:00.000Z'],
    [1440, '2030-01-02T10:30:00.000Z'],
    [0, '2030-01-01T11:00:00.000Z'],
    [100_000, '2030-01-01T11:00:00.000Z'],
    ['5', '2030-01-01T11:00:00.000Z'],
  ])('asked to end in %s minutes ends at %s', (deadlineMinutes, deadline) => {
    expect(requested({ data: { deadlineMinutes } }).deadline).toBe(deadline)
  })

  it.each<[string, string, string]>([
    ['2030-01-01T10:29:00Z', '2030-01-01T10:29:00.000Z', '2030-01-01T10:29:00.000Z'],
    ['2031-01-01T00:00:00Z', '2030-01-01T10:30:00.000Z', '2030-01-01T10:30:00.000Z'],
    ['2030-01-01T09:30:00Z', '2030-01-01T09:30:00.000Z', '2030-01-01T09:30:00.000Z'],
    ['2029-12-31T10:30:00Z', '2030-01-01T09:30:00.000Z', '2029-12-31T10:30:00.000Z'],
    ['1970-01-01T00:00:00Z', '2030-01-01T09:30:00.000Z', '2029-12-25T10:30:00.000Z'],
    ['yesterday', '2030-01-01T10:30:00.000Z', '2029-12-31T10:30:00.000Z'],
    ['', '2030-01-01T10:30:00.000Z', '2029-12-31T10:30:00.000Z'],
  ])('of an event of time "%s" begins at %s, and is looked for from %s on', (time, since, horizon) => {
    expect(requested({ time })).toMatchObject({ since, horizon })
  })

  it.each(['', '2030-01-01T10:29:00Z'])('of an event of time "%s" is looked for from then on in every task', (time) => {
    const first = requested({ time })
    const event = chainEvent('validate', {}, first)
    const next = toRun(event, 'validated', lifecycle, taskCalled('name'), new Date('2030-01-02'), limits)
    expect([next.since, next.horizon]).toEqual([first.since, first.horizon])
  })

  it.each<[unknown, string]>([
    [{ requester: 'ann@example.com' }, 'ann@example.com'],
    [{}, '/portal'],
    [{ requester: 7 }, '/portal'],
    [undefined, '/portal'],
    [{ requester: 'ann\nDrover-Run: forged\u2028x' }, 'ann Drover-Run: forged x'],
    [{ requester: 'x'.repeat(1000) }, 'x'.repeat(256)],
    [{ requester: `a${'😀'.repeat(200)}` }, `a${'😀'.repeat(127)}`],
  ])('of data %j was requested by one line', (data, requester) => {
    expect(requested({ data }).requester).toBe(requester)
  })

  it('of an event without a time was requested when it came', () => {
    const { time: _, ...event } = requestEvent()
    expect(toRun(event, 'requested', lifecycle, taskCalled('validate'), now, limits).since).toBe(now.toISOString())
  })

  it.each([undefined, null, 'text', 7])(
    'of a request that is %j begins all the same, for validate to refuse',
    (data) => {
      expect(requested({ data })).toMatchObject({ requester: '/portal', message: '', facts: {} })
    },
  )

  it('hands on what is to be committed, and what a plan has come to', () => {
    const changes = [{ path: 'names/ab/web-01.yaml', content: 'x', expect: null }]
    const draft = [{ path: 'names/ab/web-01.yaml', content: 'x' }]
    const event = chainEvent('name', { changes, draft })
    expect(toRun(event, 'named', lifecycle, taskCalled('address'), now, limits)).toMatchObject({ changes, draft })
  })

  it('that nobody has named has no id', () => {
    const { extensions: _, ...event } = chainEvent('name')
    expect(toRun({ ...event, extensions: {} }, 'named', lifecycle, taskCalled('address'), now, limits).id).toBe('')
  })

  it('goes on as the event says', () => {
    const facts = { name: 'web-01' }
    const event = chainEvent('name', { facts }, { requester: 'bob' })
    const run = toRun(event, 'named', lifecycle, taskCalled('address'), now, limits)
    expect(run).toMatchObject({ task: 'address', fact: 'named', facts, requester: 'bob', message: 'name is done' })
    expect(run).not.toHaveProperty('failure')
    expect(run).not.toHaveProperty('changes')
  })
})

const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

describe('the marks of a run', () => {
  it.each<[string, Record<string, string>, Record<string, string>]>([
    ['a trace', { traceparent: parent }, { traceparent: parent }],
    ['a trace and its state', { traceparent: parent, tracestate: 'a=1' }, { traceparent: parent, tracestate: 'a=1' }],
    ['a state of one letter', { traceparent: parent, tracestate: 'a' }, { traceparent: parent, tracestate: 'a' }],
    [
      'a state with a blank in it',
      { traceparent: parent, tracestate: 'a=1, b=2' },
      { traceparent: parent, tracestate: 'a=1, b=2' },
    ],
    ['a state without a trace', { tracestate: 'a=1' }, {}],
    ['a state of a trace that is none', { traceparent: 'x', tracestate: 'a=1' }, {}],
    [
      'a state that begins with a line of its own',
      { traceparent: parent, tracestate: '\na=1' },
      { traceparent: parent },
    ],
    ['a state that ends with one', { traceparent: parent, tracestate: 'a=1\n' }, { traceparent: parent }],
    ['a state that ends with a blank', { traceparent: parent, tracestate: 'a=1 ' }, { traceparent: parent }],
    ['a state of a blank', { traceparent: parent, tracestate: ' ' }, { traceparent: parent }],
    ['a state with a tab', { traceparent: parent, tracestate: 'a\tb' }, { traceparent: parent }],
    ['a state with a letter behind ASCII', { traceparent: parent, tracestate: 'aé' }, { traceparent: parent }],
    ['a state without end', { traceparent: parent, tracestate: 'a'.repeat(513) }, { traceparent: parent }],
    [
      'the longest state',
      { traceparent: parent, tracestate: 'a'.repeat(512) },
      { traceparent: parent, tracestate: 'a'.repeat(512) },
    ],
    ['a trace behind something else', { traceparent: `x${parent}` }, {}],
    ['a trace before something else', { traceparent: `${parent}\r\nx: y` }, {}],
    ['a correlation', { correlationid: 'order 1' }, {}],
    ['a correlation of one word', { correlationid: 'order-1' }, { correlationid: 'order-1' }],
    ['a correlation behind a line', { correlationid: '\norder-1' }, {}],
    ['a correlation before a line', { correlationid: 'order-1\n' }, {}],
    ['a correlation without end', { correlationid: 'x'.repeat(513) }, {}],
  ])('take over what fits a header: %s', (_, extensions, marks) => {
    expect(requested({ extensions }).marks).toEqual(marks)
  })

  it('are carried on where nobody traces', () => {
    const marks = { traceparent: parent, tracestate: 'a=1' }
    expect(chainEvent('validate', {}, { marks }).extensions).toMatchObject(marks)
    expect(chainEvent('validate', {}, { marks: {} }).extensions).not.toHaveProperty('tracestate')
  })
})

describe('an event of a run', () => {
  it('names its machine once that has a name, and what it was asked for before', () => {
    const of = (request: object, facts = {}) =>
      (chainEvent('validate', { facts }, { request: request as never }).data as { vmName: string }).vmName
    expect([of({ name: 'web-01' }), of({ image: 'rhel9' }), of({}), of({ name: 7 })]).toEqual([
      'web-01',
      'rhel9',
      '',
      '',
    ])
    expect(of({ name: 'web-01' }, { name: 'web-02' })).toBe('web-02')
  })

  it('says from when on it is looked for only where that is not when it was requested', () => {
    const since = '2030-01-01T10:00:00.000Z'
    expect(chainEvent('validate', {}, { since, horizon: since }).data).not.toHaveProperty('horizon')
    const earlier = '2029-12-31T10:00:00.000Z'
    expect(chainEvent('validate', {}, { since, horizon: earlier }).data).toMatchObject({ horizon: earlier })
  })

  it('says by which event it was caused, in what fits a header', () => {
    const causeOf = (id: string) => chainEvent('validate', {}, {}, requestEvent({ id })).extensions['causationid']
    expect([causeOf('order-1'), causeOf('a b\n'), causeOf('x'.repeat(300))]).toEqual([
      'order-1',
      'a?b?',
      'x'.repeat(256),
    ])
  })

  it.each<[string, unknown, string | undefined]>([
    ['a name', { namespace: 'shop', name: 'web-01' }, 'shop/web-01'],
    ['no name yet', { namespace: 'shop' }, `shop/${runId('/portal', 'order-1')}`],
    ['a name that fits no header', { namespace: 'shop', name: 'a b' }, `shop/${runId('/portal', 'order-1')}`],
    ['a name that is no text', { namespace: 'shop', name: 7 }, `shop/${runId('/portal', 'order-1')}`],
    ['names of one letter', { namespace: 's', name: 'w' }, 's/w'],
    ['no namespace', {}, undefined],
    ['a namespace that fits no header', { namespace: 'sch\u00f6n' }, undefined],
    ['no request at all', undefined, undefined],
  ])('with %s has its subject', (_, request, subject) => {
    expect(chainEvent('validate', {}, { request: request as never }).subject).toBe(subject)
  })

  it.each<[string | undefined, number, boolean]>([
    [undefined, 0, false],
    ['7', 7, false],
    ['99', 99, false],
    ['100', 100, true],
    ['-1', 100, true],
    ['1.5', 100, true],
    ['x', 100, true],
  ])('with %s hops has gone through %i', (hops, count, loop) => {
    const event = requestEvent({ extensions: hops === undefined ? {} : { hops } })
    expect([hopsOf(event), isLoop(event)]).toEqual([count, loop])
  })

  it('ends the run with one of three facts', () => {
    const facts = ['completed', 'rolledback', 'stranded', 'notified', 'check.failed']
    expect(facts.filter(isTerminal)).toEqual(['completed', 'rolledback', 'stranded'])
  })
})
