import { type FileHandle, open } from 'node:fs/promises'
import { DroverError } from '../errors.ts'

/** A disk that is read from its beginning to its end, as often as need be. */
export interface Disk {
  size: number
  /** Each is read into the place of the one before: garbage of this size is collected too late for a Pod's limit of memory. */
  chunks(): AsyncGenerator<Buffer>
  close(): Promise<void>
}

/** So much is held in memory at a time; small enough that what was never written is found between what was. */
export const chunkSize = 1 << 20

/** Opens a file or a block device, and finds out its size. */
export async function openDisk(path: string): Promise<Disk> {
  const handle = await open(path, 'r').catch(failWith(path))
  try {
    const size = await endOf(handle).catch(failWith(path))
    if (size === 0) throw new DroverError('refused', `Cannot push the disk ${path}: it is empty`)
    return { size, chunks: () => read(handle, path, size), close: () => handle.close() }
  } catch (error) {
    await handle.close()
    throw error
  }
}

const failWith = (path: string) => (cause: NodeJS.ErrnoException) => {
  const fault = faults[cause.code ?? '']
  throw new DroverError(
    fault === undefined ? 'broken' : 'refused',
    `Cannot read the disk ${path}: ${fault ?? cause.code}`,
    {
      cause,
    },
  )
}

const faults: Record<string, string> = {
  ENOENT: 'there is none',
  EISDIR: 'it is a folder',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
}

/** Where reading ends. The kernel says 0 for the size of a block device, and Node does not seek; so it is closed in on. */
async function endOf(handle: FileHandle): Promise<number> {
  const byte = Buffer.alloc(1)
  const has = async (position: number) => (await handle.read(byte, 0, 1, position)).bytesRead === 1
  let [low, high] = [0, chunkSize]
  while (await has(high)) [low, high] = [high, high * 2]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (await has(middle)) low = middle + 1
    else high = middle
  }
  return low
}

async function* read(handle: FileHandle, path: string, size: number): AsyncGenerator<Buffer> {
  const room = Buffer.alloc(chunkSize)
  for (let position = 0; position < size; ) {
    const chunk = await readFull(handle, room.subarray(0, size - position), position).catch(failWith(path))
    if (!chunk) throw new DroverError('broken', `Cannot read the disk ${path}: it ended before its ${size} bytes`)
    position += chunk.length
    yield chunk
  }
}

async function readFull(handle: FileHandle, chunk: Buffer, position: number): Promise<Buffer | undefined> {
  for (let filled = 0; filled < chunk.length; ) {
    const { bytesRead } = await handle.read(chunk, filled, chunk.length - filled, position + filled)
    if (bytesRead === 0) return undefined
    filled += bytesRead
  }
  return chunk
}
