import { createHash } from 'node:crypto'
import { DroverError } from '../../errors.ts'
import type { TreeEntry } from '../../fleet.ts'
import { bytesOf } from './name.ts'

/** What stands for the commit of a branch that has none yet. */
export const NO_COMMIT = '0'.repeat(40)

/** Throws unless the text is the full id of an object; anything else could mean something to Git. */
export function checkObjectId(oid: string): void {
  if (/^[0-9a-f]{40}$/.test(oid)) return
  const found = JSON.stringify(oid.slice(0, 100))
  throw new DroverError(
    'broken',
    `Cannot read the object ${found} of the fleet repository: a full object id was expected`,
  )
}

/** The id that Git gives to a folder of these entries, which must be in Git's order. */
export function treeId(entries: readonly TreeEntry[]): string {
  return objectId('tree', treeBody(entries))
}

/** The bytes of a folder of these entries, which must be in Git's order. */
export function treeBody(entries: readonly TreeEntry[], toLine = treeLine): Buffer {
  return Buffer.concat(entries.map(toLine))
}

/** The bytes of one entry. */
export const treeLine = ({ name, mode, oid }: TreeEntry): Buffer =>
  Buffer.concat([bytesOf(`${mode.replace(/^0/, '')} ${name}\0`), Buffer.from(oid, 'hex')])

/** Sorts the entries of a folder as Git does: by bytes, a folder as if its name ended with a slash. */
export function inGitOrder(entries: readonly TreeEntry[]): TreeEntry[] {
  const keyed = entries.map((entry) => ({ entry, key: entry.mode === '040000' ? `${entry.name}/` : entry.name }))
  const isPlain = keyed.every(({ key }) => ascii.test(key))
  const compare = isPlain ? byCharacter : byByte
  return keyed.sort((one, other) => compare(one.key, other.key)).map(({ entry }) => entry)
}

// Most names are such, and bytes cost ten times as much to compare.
const ascii = /^[\x20-\x7e]*$/
const byCharacter = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0)
const byByte = (one: string, other: string) => Buffer.compare(bytesOf(one), bytesOf(other))

/** The id that Git gives to an object. */
export function objectId(type: 'commit' | 'tree' | 'blob', body: Buffer): string {
  return createHash('sha1').update(`${type} ${body.length}\0`).update(body).digest('hex')
}
