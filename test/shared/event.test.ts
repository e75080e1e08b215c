import { maxHeaderSize } from 'node:http'
import { describe, expect, it } from 'vitest'
import { type Event, eventLimit, readEvent, writeEvent } from '../../shared/event.ts'

type Headers = Record<string, string>

const ce: Headers = {
  'ce-specversion': '1.0',
  'ce-id': 'order-1',
  'ce-source': '/portal',
  'ce-type': 'dev.drover.provision.requested',
}
const json = { 'content-type': 'application/json' }
const structured = { 'content-type': 'application/cloudevents+json; charset=utf-8' }
const event = {
  specversion: '1.0',
  id: 'order-1',
  source: '/portal',
  type: 'dev.drover.provision.requested',
  data: { template: 'linux-small' },
}
const without = (name: string) => Object.fromEntries(Object.entries(ce).filter(([one]) => one !== name))
const as = (changes: object) => JSON.stringify({ ...event, ...changes })
const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

describe('an event is read', () => {
  it.each<[string, Headers, string, Partial<Event>]>([
    ['in binary form', { ...ce, ...json }, '{"a":1}', { id: 'order-1', data: { a: 1 }, extensions: {} }],
    ['without a content type', ce, '{"a":1}', { data: { a: 1 } }],
    ['of a JSON type', { ...ce, 'content-type': 'application/merge-patch+json' }, '{}', { data: {} }],
    ['without a subject, as `func invoke` sends it', { ...ce, ...json }, '{}', { source: '/portal' }],
    [
      'with subject, time and extensions',
      { ...ce, ...json, 'ce-subject': 'shop/web-01', 'ce-time': '2030-01-01T10:00:00Z', 'ce-runid': 'x', 'ce-k9': 'y' },
      '{}',
      { subject: 'shop/web-01', time: '2030-01-01T10:00:00Z', extensions: { runid: 'x', k9: 'y' } },
    ],
    [
      'in structured form',
      structured,
      as({ runid: 'x', hops: 3 }),
      { data: event.data, extensions: { runid: 'x', hops: '3' } },
    ],
    ['with an extension that is null', structured, as({ runid: null }), { extensions: {} }],
    ['with data under odd names', { ...ce, ...json }, '{"__proto__":{"x":1}}', { id: 'order-1' }],
  ])('%s', (_, headers, body, wanted) => {
    expect(readEvent(headers, body)).toMatchObject(wanted)
    expect(readEvent(headers, body).dataProblem).toBeUndefined()
  })

  it('says in one line why data of many lines is no JSON', () => {
    const { dataProblem } = readEvent({ ...ce, ...json }, '{"a":\n\n\u0007  x}')
    expect(dataProblem).toMatch(/^the data is not JSON: \P{Cc}+$/u)
  })

  it.each<[string, Headers, string, string]>([
    ['text', { ...ce, 'content-type': 'text/plain' }, 'hello', 'the data is text/plain, wanted application/json'],
    [
      'a form',
      { ...ce, 'content-type': 'application/x-www-form-urlencoded' },
      'a=1',
      'the data is application/x-www-form',
    ],
    ['broken JSON', { ...ce, ...json }, '{"a":', 'the data is not JSON: '],
    ['nothing', ce, '', 'the event has no data, wanted a JSON object'],
    ['null', { ...ce, ...json }, 'null', 'the event has no data, wanted a JSON object'],
    ['nothing in structured form', structured, as({ data: undefined }), 'the event has no data'],
    ['bytes', structured, as({ data: undefined, data_base64: 'AAEC' }), 'the data is binary, wanted a JSON object'],
    ['a number that is none', { ...ce, ...json }, '{"a":1e999}', 'the data holds a number that is too large'],
    ['half a character', { ...ce, ...json }, '{"a":"\\ud800"}', 'the data holds half of a Unicode character'],
    ['a name of half a character', { ...ce, ...json }, '{"\\udc00":1}', 'the data holds half of a Unicode character'],
    ['a deep hole', { ...ce, ...json }, nested(50_000), 'the data is nested more than 64 levels deep'],
    [
      'too much of a request',
      { ...ce, ...json },
      JSON.stringify('x'.repeat(200_000)),
      'the event is 200002 bytes long, wanted at most 131072',
    ],
    [
      'too much of an event of the chain',
      { ...ce, ...json, 'ce-type': 'dev.drover.provision.named' },
      JSON.stringify('x'.repeat(1_100_000)),
      'the event is 1100002 bytes long, wanted at most 1024000',
    ],
  ])('without its data when that is %s', (_, headers, body, problem) => {
    const read = readEvent(headers, body)
    expect(read).toMatchObject({ id: 'order-1', data: undefined })
    expect(read.dataProblem).toContain(problem)
  })

  it('with more data in the chain than in a request', () => {
    const headers = { ...ce, ...json, 'ce-type': 'dev.drover.provision.create.built' }
    expect(readEvent(headers, JSON.stringify({ a: 'x'.repeat(900_000) })).dataProblem).toBeUndefined()
  })

  it('with no more data than a Kafka Broker takes along with as many headers as Node reads', () => {
    const maxRequestSize = 1_048_576
    expect(eventLimit + maxHeaderSize).toBeLessThan(maxRequestSize)
  })

  it.each<[string, Headers, string, string]>([
    ['a plain POST', json, '{}', 'it is no CloudEvent: it has no specversion, wanted "1.0"'],
    ['no specversion', without('ce-specversion'), '{}', 'it has no specversion'],
    ['specversion 0.3', { ...ce, 'ce-specversion': '0.3' }, '{}', 'its specversion is not supported, wanted "1.0"'],
    ['specversion 2.0', { ...ce, 'ce-specversion': '2.0' }, '{}', 'its specversion is not supported, wanted "1.0"'],
    ['no id', without('ce-id'), '{}', 'it lacks id, source or type'],
    ['an empty id', { ...ce, 'ce-id': '' }, '{}', 'it lacks id, source or type'],
    ['no source', without('ce-source'), '{}', 'it lacks id, source or type'],
    ['no type', without('ce-type'), '{}', 'it lacks id, source or type'],
    ['an extension with an underscore', { ...ce, 'ce-my_ext': 'x' }, '{}', 'the name of an extension'],
    ['an extension without a name', { ...ce, 'ce-': 'x' }, '{}', 'the name of an extension'],
    ['a long extension name', { ...ce, 'ce-abcdefghijklmnopqrstu': 'x' }, '{}', 'the name of an extension'],
    ['a batch', { 'content-type': 'application/cloudevents-batch+json' }, '[]', 'it is a batch, wanted one event'],
    [
      'another format',
      { 'content-type': 'application/cloudevents+avro' },
      '',
      'its format is application/cloudevents+avro, wanted application/cloudevents+json',
    ],
    ['a structured form that is no JSON', structured, '{', 'it is not JSON'],
    ['a structured list', structured, '[]', 'it is not a JSON object'],
    ['a structured null', structured, 'null', 'it is not a JSON object'],
    ['an attribute that is no text', structured, as({ subject: { a: 1 } }), 'an attribute is not text'],
    ['an upper-case extension', structured, as({ runId: 'x' }), 'the name of an extension'],
    [
      'a prototype',
      structured,
      '{"__proto__":"x","specversion":"1.0","id":"1","source":"s","type":"t","data":{}}',
      'the name of an extension',
    ],
  ])('not from %s', (_, headers, body, sentence) => {
    expect(() => readEvent(headers, body)).toThrow(
      expect.objectContaining({ reason: 'unreadable', message: expect.stringContaining(sentence) }),
    )
  })
})

describe('an event is written', () => {
  it('so that it is read as it was', () => {
    const original: Event = {
      id: 'x-named',
      source: '/drover/allocate',
      type: 'dev.drover.provision.named',
      subject: 'shop/web-01',
      time: '2030-01-01T10:00:00.000Z',
      extensions: { runid: 'x', hops: '2', correlationid: 'a:b=' },
      data: { text: 'schöne Grüße 😀', nested: [{ a: null }] },
    }
    const { headers, body } = writeEvent(original)
    const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
    expect(readEvent(lower, body)).toEqual(original)
  })

  it('with its data in the form that is signed', () => {
    const { body } = writeEvent({ id: '1', source: '/s', type: 't', extensions: {}, data: { b: [1.0, -0], a: 'ü' } })
    expect(body).toBe('{"a":"ü","b":[1,0]}')
  })

  it('with its data as it came', () => {
    const headers = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 't' }
    const event = readEvent(headers, '{ "b": 1.0, "a": 2 }')
    expect(writeEvent(event).body).toBe('{ "b": 1.0, "a": 2 }')
    expect(writeEvent({ ...event, data: { ...(event.data as object), c: 3 } }).body).toBe('{"a":2,"b":1,"c":3}')
  })

  it('without what it does not have', () => {
    const { headers } = writeEvent({ id: '1', source: '/s', type: 't', extensions: {}, data: {} })
    expect(headers).not.toHaveProperty('ce-subject')
  })
})
