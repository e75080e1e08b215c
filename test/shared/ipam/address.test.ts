import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { describe, expect, it } from 'vitest'
import { formatIp, parseIp } from '../../../shared/ipam/address.ts'

describe('parseIp', () => {
  it.each([
    '10.20.0',
    '10.20.0.256',
    '010.20.0.1',
    '0x0a.20.0.1',
    '167772161',
    '10.20.0.1/24',
    'fd00::1::2',
    'fd00',
    '::g',
    '',
    ' 10.0.0.1',
    '10.20.0.1.',
    '10.20.0.1.5',
    '10.20.0.1\n',
    '\n10.20.0.1',
    '00.1.2.3',
    '.1.2.3',
    'fd00::1\n',
  ])('takes %j for no address', (text) => {
    expect(parseIp(text)).toBeUndefined()
  })

  it.each([
    ['10.20.0.1', '10.20.0.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['FD00:20:0:0::1', 'fd00:20::1'],
    ['::', '::'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ])('reads %s as %s, the one way to write it', (text, written) => {
    expect(formatIp(parseIp(text)!)).toBe(written)
  })

  it('takes for an IPv4 address what the library takes for one of four decimal parts', () => {
    const part = fc.oneof(
      fc.integer({ min: 0, max: 300 }).map(String),
      fc.constantFrom('', '00', '01', '1e1', ' 1', '-1'),
    )
    fc.assert(
      fc.property(fc.array(part, { minLength: 3, maxLength: 5 }), (parts) => {
        const text = parts.join('.')
        expect(parseIp(text)?.family === 4, text).toBe(ipaddr.IPv4.isValidFourPartDecimal(text))
      }),
    )
  })

  it('reads back what formatIp writes', () => {
    fc.assert(
      fc.property(fc.constantFrom(4 as const, 6 as const), fc.bigInt(0n, 2n ** 128n - 1n), (family, number) => {
        const ip = { family, value: family === 4 ? number % 2n ** 32n : number }
        expect(parseIp(formatIp(ip))).toEqual(ip)
      }),
    )
  })
})
