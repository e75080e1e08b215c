import { createHash } from 'node:crypto'
import { existsSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import { deltaOf } from './delta.ts'
import type { NewObject, NewObjects } from './new-objects.ts'
import { updateRef } from './update-ref.ts'

/**
 * Writes into a repository as git itself does, without a process for it: a pack with its index (gitformat-pack(5)). A file
 * for each object would be less to write down here, and takes a disk ten times as long. Nothing must survive a crash.
 */

/** What keeps the newest commits of our own from being tidied away, and from being fetched again. */
const PENDING = 'refs/drover/pending'
const KINDS = { commit: 1, tree: 2, blob: 3 }
/** An object that is made of another one of the pack, which it names. */
const DELTA = 7
/** Git's own limit (`pack.depth`): whoever reads the last of them makes all before it. */
const DEEPEST = 50

/** Writes commits with all that they consist of, and answers where; no branch shows them. */
export function writePack(directory: string, { objects, commits }: NewObjects): string {
  const last = commits.at(-1) ?? ''
  const { name, pack, index } = toPack(objects)
  const path = join(directory, 'objects/pack', `pack-${name}`)
  // Commits that are written again on the same base are the same; and Git reads what is there.
  if (!existsSync(`${path}.idx`)) {
    writeFileSync(`${path}.pack`, pack)
    // It looks for packs by their indexes: one that is there must be whole, and its pack as well.
    const unfinished = join(directory, 'objects/pack', `tmp_idx_${name}`)
    writeFileSync(unfinished, index)
    renameSync(unfinished, `${path}.idx`)
  }
  updateRef(directory, PENDING, last)
  return path
}

/**
 * Notes that the server has what is in a pack by now, as of one that was fetched. Else git would look at what comes from the
 * server later, take all that is below it for the server's, and let go of ours.
 */
export function markPromised(path: string): void {
  try {
    if (existsSync(`${path}.idx`)) writeFileSync(`${path}.promisor`, '')
  } catch {
    // The clone is another one by now.
  }
}

/** The bytes of a pack and of its index, and the name that both go by. */
export function toPack(objects: readonly NewObject[]) {
  const sealed = (parts: readonly Buffer[]) => {
    const hash = createHash('sha1')
    for (const part of parts) hash.update(part)
    return Buffer.concat([...parts, hash.digest()])
  }
  const head = Buffer.concat([Buffer.from('PACK'), numbers([2, objects.length])])
  let offset = head.length
  const shortly = shortener(objects)
  const packed = objects.map((object) => {
    const { oid } = object
    const bytes = shortly(object)
    const entry = { id: Buffer.from(oid, 'hex'), bytes, offset }
    offset += bytes.length
    return entry
  })
  const pack = sealed([head, ...packed.map(({ bytes }) => bytes)])
  const seal = pack.subarray(offset)
  const sorted = packed.toSorted((one, other) => Buffer.compare(one.id, other.id))
  const index = sealed([
    Buffer.from([0xff, 0x74, 0x4f, 0x63]),
    numbers([2, ...fanOut(sorted.map(({ id }) => id[0] ?? 0))]),
    ...sorted.map(({ id }) => id),
    numbers(sorted.map(({ bytes }) => crc32(bytes))),
    numbers(sorted.map((entry) => entry.offset)),
    seal,
  ])
  return { name: seal.toString('hex'), pack, index }
}

/**
 * Writes objects one after the other, where it is shorter by what makes them of the one that they come from. A push sends
 * them as they are here: what is whole, git compares with many others to find out the same.
 */
function shortener(objects: readonly NewObject[]): (object: NewObject) => Buffer {
  const contents = new Map(objects.map(({ oid, content }) => [oid, content]))
  const depths = new Map<string, number>()
  return ({ oid, kind, content, from = '' }) => {
    const origin = contents.get(from)
    const depth = (depths.get(from) ?? 0) + 1
    const delta = origin && depth <= DEEPEST ? deltaOf(origin, content) : undefined
    if (!delta || delta.length > content.length / 2)
      return Buffer.concat([heading(KINDS[kind], content.length), deflateSync(content, { level: 1 })])
    depths.set(oid, depth)
    return Buffer.concat([heading(DELTA, delta.length), Buffer.from(from, 'hex'), undeflated(delta)])
  }
}

/** As it is, in the form that packs have: ids cannot be made shorter, and to try takes longer than all else. */
const undeflated = (bytes: Buffer): Buffer => deflateSync(bytes, { level: 0 })

/** For each first byte: how many ids begin with that or a smaller one. */
function fanOut(firsts: readonly number[]): number[] {
  const counts = new Array<number>(256).fill(0)
  for (const first of firsts) counts[first] = (counts[first] ?? 0) + 1
  let sum = 0
  return counts.map((count) => {
    sum += count
    return sum
  })
}

/** The kind and the length of an object: four bits of it beside the kind, then seven a byte. */
function heading(kind: number, length: number): Buffer {
  const bytes = [(kind << 4) | (length & 15)]
  for (let rest = Math.floor(length / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes[bytes.length - 1]! |= 128
    bytes.push(rest & 127)
  }
  return Buffer.from(bytes)
}

function numbers(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4)
  return bytes
}
