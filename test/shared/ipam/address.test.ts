import fc from 'fast-check'
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
  ])('takes %j for no address', (text) => {
    expect(parseIp(text)).toBeUndefined()
  })

  it.each([
    ['10.20.0.1', '10.20.0.1'],
    ['FD00:20:0:0::1', 'fd00:20::1'],
    ['::', '::'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ])('reads %s as %s, the one way to write it', (text, written) => {
    expect(formatIp(parseIp(text)!)).toBe(written)
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
