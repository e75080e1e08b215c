import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toIdentity, toMac } from '../../shared/identity.ts'
import { check } from '../../shared/schema/check.ts'
import { Identity } from '../../shared/schema/definition.ts'

describe('toIdentity', () => {
  it('gives the same for a run each time, as a machine keeps it for life', () => {
    expect(toIdentity('0123456789abcdef0123')).toEqual({
      uuid: '98e26936-a57d-5e72-b7c5-9ee439afcec9',
      serial: '8f081a4b-1fe8-5d86-be33-e52e125f9e40',
    })
  })

  it('gives UUIDs of version 5, another for each run and each use', () => {
    const seen = new Set<string>()
    for (let run = 0; run < 1000; run++) {
      const identity = toIdentity(`run${run}`)
      expect(check(Identity, identity, 'the identity')).toMatchObject({ ok: true })
      expect(identity.uuid).toMatch(/^.{14}5.{4}[89ab]/)
      seen.add(identity.uuid).add(identity.serial)
    }
    expect(seen.size).toBe(2000)
  })
})

describe('toMac', () => {
  it('is unicast and locally administered for every run and interface, and always the same', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(8), (run, index) => {
        const mac = toMac(run, index)
        expect(mac).toMatch(/^[0-9a-f][26ae](:[0-9a-f]{2}){5}$/)
        expect(toMac(run, index)).toBe(mac)
        expect(toMac(run, index + 1)).not.toBe(mac)
      }),
    )
  })
})
