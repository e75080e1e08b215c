import { describe, expect, it } from 'vitest'
import { type Event, readEvent, writeEvent } from '../../shared/event.ts'
import { isSigned, sign } from '../../shared/signature.ts'

const keys = [{ id: 'k1', secret: 'a secret of the tests' }]
const other = { id: 'k2', secret: 'another secret of the tests' }
const event: Event = {
  id: 'x-named',
  source: '/drover/allocate',
  type: 'dev.drover.provision.named',
  subject: 'shop/web-01',
  extensions: { runid: 'x', hops: '1' },
  data: { b: [1, 2.5, -0], a: { text: 'ü' } },
}
const signed = (by = keys, what = event): Event => ({
  ...what,
  extensions: { ...what.extensions, signature: sign(what, by) },
})

describe('a signature', () => {
  it('says by which key it was made, and is believed', () => {
    expect(signed().extensions['signature']).toMatch(/^k1\.[A-Za-z0-9_-]{43}$/)
    expect(isSigned(signed(), keys)).toBe(true)
  })

  it('does not mind in which order JSON came, nor how it was written', () => {
    const data = JSON.parse('{"a":{"text":"\\u00fc"},"b":[1.0,25e-1,0]}')
    expect(isSigned({ ...signed(), data }, keys)).toBe(true)
  })

  it.each<[string, (body: string) => string]>([
    ['byte for byte', (body) => body],
    ['with blanks between', (body) => JSON.stringify(JSON.parse(body), undefined, 2)],
    ['in another order', (body) => JSON.stringify({ b: undefined, ...JSON.parse(body), a: { text: 'ü' } })],
    ['and an end of line', (body) => `${body}\n`],
  ])('is believed over HTTP %s', (_, handOn) => {
    const { headers, body } = writeEvent(signed())
    expect(isSigned(readEvent(headers, handOn(body)), keys)).toBe(true)
  })

  it.each<[string, (body: string) => string]>([
    ['a field more', (body) => body.replace('{', '{"c":0,')],
    ['a field twice', (body) => body.replace(/}$/, ',"a":{"text":"u"}}')],
    ['the data of another one around it', (body) => `{"data":${body}}`],
    ['nothing in it', () => '{}'],
  ])('is not believed over HTTP with %s', (_, handOn) => {
    const { headers, body } = writeEvent(signed())
    expect(isSigned(readEvent(headers, handOn(body)), keys)).toBe(false)
  })

  it('does not mind what may change on the way', () => {
    const { extensions, ...rest } = signed()
    expect(
      isSigned(
        { ...rest, time: 'later', extensions: { ...extensions, knativearrivaltime: 'now', traceparent: '00-1-2-01' } },
        keys,
      ),
    ).toBe(true)
  })

  it.each<[string, Partial<Event>]>([
    ['id', { id: 'y-named' }],
    ['source', { source: '/drover/place' }],
    ['type', { type: 'dev.drover.provision.placed' }],
    ['subject', { subject: 'shop/web-02' }],
    ['data', { data: { b: [1, 2.5, 0], a: { text: 'u' } } }],
    ['lost data', { data: undefined }],
    ['run', { extensions: { ...signed().extensions, runid: 'y' } }],
    ['number of hops', { extensions: { ...signed().extensions, hops: '99' } }],
    ['address of the answer', { extensions: { ...signed().extensions, correlationid: 'mine' } }],
  ])('is not believed with another %s', (_, change) => {
    expect(isSigned({ ...signed(), ...change }, keys)).toBe(false)
  })

  it.each(['', '.', 'k1', 'k1.', 'k1.AAAA', 'k2.AAAA', '.AAAA', 'k1.ü'])('is not believed when it is "%s"', (text) => {
    expect(isSigned({ ...event, extensions: { runid: 'x', signature: text } }, keys)).toBe(false)
  })

  it('is believed by any of the keys that are held, and by no other', () => {
    expect(isSigned(signed([other]), [...keys, other])).toBe(true)
    expect(isSigned(signed([other]), keys)).toBe(false)
    expect(isSigned(signed([{ ...other, id: 'k1' }]), keys)).toBe(false)
  })

  it('cannot be made without a key', () => {
    expect(() => sign(event, [])).toThrow('Cannot sign an event: there is no signing key')
  })
})
