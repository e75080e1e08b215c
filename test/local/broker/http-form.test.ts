import { describe, expect, it } from 'vitest'
import { type CloudEvent, Malformed, refusal } from '../../../local/broker/event.ts'
import { readEvent, toBinary, toJson } from '../../../local/broker/http-form.ts'

const required = { specversion: '1.0', id: 'i', source: '/s', type: 't' }
const structured = (more: string) =>
  readEvent(
    { 'content-type': 'application/cloudevents+json' },
    Buffer.from(`{"specversion":"1.0","id":"i","source":"/s","type":"t"${more}}`),
  )
const binary = (more: Record<string, string>) =>
  readEvent({ 'ce-specversion': '1.0', 'ce-id': 'i', 'ce-source': '/s', 'ce-type': 't', ...more }, Buffer.from('d'))

describe('readEvent', () => {
  it('sees no event in a message without the headers of one', () => {
    expect(readEvent({ 'content-type': 'application/json' }, Buffer.from('{}'))).toBeUndefined()
  })

  it('keeps the bytes of structured JSON data, and lets data come before its type', () => {
    const text = structured(',"data": { "b" : [1, "}"] } ,"datacontenttype":"application/json","MyExt":true')
    expect(text?.data.toString()).toBe(' { "b" : [1, "}"] }')
    expect(text?.attributes).toEqual({ ...required, datacontenttype: 'application/json', myext: 'true' })
  })

  it.each([
    ['text', ',"datacontenttype":"text/plain","data":"a\\n"', 'a\n'],
    ['base64', ',"data_base64":"eHl6"', 'xyz'],
    ['a JSON string without a type', ',"data":"text"', '"text"'],
    ['null', ',"data":null', 'null'],
    ['nothing', '', ''],
  ])('reads structured data that is %s', (_, more, data) => {
    expect(structured(more)?.data.toString()).toBe(data)
  })

  it.each([
    ['an object as text', ',"datacontenttype":"text/plain","data":{}'],
    ['bad base64', ',"data_base64":"a"'],
    ['an integer of more than 32 bits', ',"ext":12345678901'],
    ['an object as extension', ',"ext":{}'],
    ['a prototype', ',"__proto__":{"a":1}'],
    ['an attribute in upper case', ',"Subject":"a"'],
    ['a bad time', ',"time":"yesterday"'],
    ['text behind it', '} x'],
  ])('refuses a structured event with %s', (_, more) => {
    expect(() => structured(more)).toThrow(Malformed)
  })

  it.each([
    ['a time in another zone', { 'ce-time': '2024-05-06T09:08:09.120+02:00' }, { time: '2024-05-06T07:08:09.12Z' }],
    ['a source with blanks', { 'ce-source': 'HTTP://A/b c' }, { source: 'http://A/b%20c' }],
    ['an empty subject', { 'ce-subject': '' }, {}],
    ['an empty extension', { 'ce-ext': '' }, { ext: '' }],
    ['a content type', { 'content-type': 'text/plain' }, { datacontenttype: 'text/plain' }],
  ])('reads %s', (_, headers, attributes) => {
    expect(binary(headers)?.attributes).toEqual({ ...required, ...attributes })
  })

  it.each([
    ['ce-time', '2024-02-30T00:00:00Z'],
    ['ce-time', '2024-05-06'],
    ['ce-time', ''],
    ['ce-source', ':a'],
    ['ce-source', '/100%'],
    ['ce-my_ext', 'x'],
    ['ce-datacontenttype', 'text/plain'],
    ['content-type', 'application/cloudevents-batch+json'],
  ])('refuses a binary event with %s: %s', (name, value) => {
    expect(() => binary({ [name]: value })).toThrow(Malformed)
  })
})

it.each([
  ['id', ' ', 'id is missing'],
  ['source', '', 'source is missing'],
  ['type', '', 'type is missing'],
  ['dataschema', '/relative', 'dataschema is no absolute URI'],
  ['datacontenttype', 'not a type', 'the content type is no media type'],
  ['datacontenttype', 'a/b; charset="x y"; c=d', undefined],
])('refusal says of %s "%s": %s', (name, value, sentence) => {
  expect(refusal({ attributes: { ...required, [name]: value }, data: Buffer.alloc(0) })).toBe(sentence)
})

it('an event comes back the same in both forms', () => {
  const attributes = { ...required, subject: 'Größe €', datacontenttype: 'application/json', ext: 'e' }
  const event: CloudEvent = { attributes, data: Buffer.from('{"a":[1]}') }
  const { headers, body } = toBinary(event)
  expect(readEvent(headers, body)).toEqual(event)
  expect(readEvent({ 'content-type': 'application/cloudevents+json' }, Buffer.from(toJson(event)))).toEqual(event)
})
