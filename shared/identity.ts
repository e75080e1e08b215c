import { createHash } from 'node:crypto'
import type { Identity } from './schema/definition.ts'

/**
 * What a machine is known by for its whole life. It is derived from the run that makes the machine, so a second delivery
 * gives the same, and it stands in Git, because KubeVirt would make it up anew at each creation.
 */

/** Drover's name space for UUIDs of version 5 (RFC 9562). */
const nameSpace = Buffer.from('5d6ff3f0a6c44c9ab8b5d2a7b1f0c3e4', 'hex')

/** The firmware uuid and serial of the machine that a run makes. */
export const toIdentity = (run: string): Identity => ({ uuid: uuid(`${run}/uuid`), serial: uuid(`${run}/serial`) })

function uuid(name: string): string {
  const bytes = createHash('sha1').update(nameSpace).update(name).digest().subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** The MAC address of an interface: unicast, and locally administered, so no vendor's card has it. */
export function toMac(run: string, index: number): string {
  const bytes = createHash('sha256').update(`${run}/nic${index}`).digest().subarray(0, 6)
  bytes.writeUInt8((bytes.readUInt8(0) & 0xfc) | 0x02, 0)
  return bytes.toString('hex').replace(/..(?!$)/g, '$&:')
}
