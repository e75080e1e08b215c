import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import { pack } from 'tar-stream'
import type { Layer } from '../../images/oci-image.ts'
import { chunkSize, type Disk } from '../disk.ts'

/** A layer that is made while it is sent. */
export interface Packing {
  bytes: AsyncGenerator<Buffer>
  /** What it is; known once all of its bytes were taken. */
  packed(): Layer | undefined
}

/** KubeVirt's user; a fixed time, for the same disk has to give the same digest. */
const owner = { uid: 107, gid: 107, mtime: new Date(0) }

const compress = promisify(gzip)
// The output of a chunk in one piece: each further one would be another turn through Node's pool of threads.
const level = { level: constants.Z_BEST_SPEED, chunkSize: chunkSize + 4096 }

const zeros = Buffer.alloc(chunkSize)

/**
 * Packs a disk as a container disk's one layer: a tar, compressed chunk by chunk. RFC 1952 lets a gzip file have many members; so
 * a chunk that was never written to costs no more than its hash, for its member is known.
 */
export function packLayer(disk: Disk): Packing {
  let layer: Layer | undefined
  async function* bytes(): AsyncGenerator<Buffer> {
    const [inner, outer] = [createHash('sha256'), createHash('sha256')]
    const emptyMember = await compress(zeros, level)
    let size = 0
    for await (const chunk of tarOf(disk)) {
      if (chunk.length === 0) continue
      // Both at once: compression has a thread of its own.
      const compressing = chunk.equals(zeros) ? emptyMember : compress(chunk, level)
      inner.update(chunk)
      const member = await compressing
      outer.update(member)
      size += member.length
      yield member
    }
    layer = { digest: `sha256:${outer.digest('hex')}`, size, diffId: `sha256:${inner.digest('hex')}` }
  }
  return { bytes: bytes(), packed: () => layer }
}

/** What the layer is, without sending it anywhere. */
export async function measureLayer(disk: Disk): Promise<Layer | undefined> {
  const { bytes, packed } = packLayer(disk)
  for await (const _ of bytes);
  return packed()
}

/** One directory, one file, nothing about the machine that it was made on. */
async function* tarOf(disk: Disk): AsyncGenerator<Buffer> {
  yield* headersOf(disk.size)
  yield* disk.chunks()
  yield Buffer.alloc((blockSize - (disk.size % blockSize)) % blockSize)
  yield Buffer.alloc(2 * blockSize)
}

const blockSize = 512

/** The two headers, which end where the disk's bytes begin. */
async function* headersOf(size: number): AsyncGenerator<Buffer> {
  const tar = pack()
  tar.entry({ ...owner, name: 'disk/', type: 'directory', mode: 0o555 })
  tar.entry({ ...owner, name: 'disk/disk.img', size, mode: 0o440 })
  let left = 2
  for await (const header of tar) {
    // Its types say nothing of what comes.
    yield header as Buffer
    left -= 1
    if (left === 0) return
  }
}
