import { describe, expect, it } from 'vitest'
import { toGuestConfiguration } from '../../../shared/cloudinit/guest-configuration.ts'
import { dualStack, linuxGuest } from './guests.ts'

const breakOut = "10.0.0.9'; Remove-Item C:\\ -Recurse; '"
const commands = "netsh '${address}' '${gateway}' '${mac}' ${name}"

describe('a variable of a request', () => {
  it.each(['address', 'gateway', 'mac', 'name'])('cannot stand for the %s that was allocated', (name) => {
    const guest = linuxGuest([{ unattend: commands }], { kind: 'windows', variables: { [name]: breakOut } })
    expect(toGuestConfiguration(guest).unattend).toBe("netsh '10.20.0.17' '10.20.0.1' '02:00:00:00:00:01' web-01")
  })

  it('cannot stand for the gateway where there is none', () => {
    const { gateway: _, ...lease } = dualStack().leases[0] as never as { gateway: string }
    const interfaces = [{ ...dualStack(), leases: [lease as never] }]
    const guest = linuxGuest([{ unattend: commands }], { interfaces, variables: { gateway: breakOut } })
    expect(() => toGuestConfiguration(guest)).toThrow('uses ${gateway}, which nothing defines')
  })
})
