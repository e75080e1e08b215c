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
    ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z', '2029-12-25T10:30:00.000Z'],
    ['yesterday', '2030-01-01T10:30:00.000Z', '2029-12-31T10:30:00.000Z'],
    ['', '2030-01-01T10:30:00.000Z', '2029-12-31T10:30:00.000Z'],
  ])('of an event of time "%s" was requested at %s, and is looked for from %s on', (time, since, horizon) => {
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
  ])('of data %j was requested by one line', (data, requester) => {
    expect(requested({ data }).requester).toBe(requester)
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

describe('an event of a run', () => {
  it.each<[string, unknown, string | undefined]>([
    ['a name', { namespace: 'shop', name: 'web-01' }, 'shop/web-01'],
    ['no name yet', { namespace: 'shop' }, `shop/${runId('/portal', 'order-1')}`],
    ['a name that fits no header', { namespace: 'shop', name: 'a b' }, `shop/${runId('/portal', 'order-1')}`],
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
