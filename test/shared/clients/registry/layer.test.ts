import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { chunkSize, type Disk, openDisk } from '../../../../shared/clients/disk.ts'
import { measureLayer, packLayer } from '../../../../shared/clients/registry/layer.ts'

const directory = mkdtempSync(join(tmpdir(), 'drover-layer-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const file = join(directory, 'disk.img')
async function diskOf(content: string, size = content.length): Promise<Disk> {
  writeFileSync(file, content)
  truncateSync(file, size)
  return openDisk(file)
}
const sha256 = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

describe('openDisk', () => {
  it.each([1, 511, 512, 513, chunkSize - 1, chunkSize, chunkSize + 1, 3 * chunkSize, 5_000_000_017])(
    'finds out a size of %d bytes by reading',
    async (size) => {
      const disk = await diskOf('x', size)
      expect(disk.size).toBe(size)
      await disk.close()
    },
  )

  it.each([
    ['is empty', file, 'Cannot push the disk', ': it is empty'],
    ['is not there', '/disks/disk.img', 'Cannot read the disk /disks/disk.img', ': there is none'],
    ['is a folder', directory, 'Cannot read the disk', ': it is a folder'],
  ])('refuses one that %s', async (_, path, what, why) => {
    writeFileSync(file, '')
    await expect(openDisk(path)).rejects.toThrow(new RegExp(`^${what}.*${why}$`))
  })
})

describe('packLayer', () => {
  it.each([
    ['small', 'a disk', 6],
    ['with holes', 'a disk', 3 * chunkSize + 17],
    ['of whole chunks', 'a disk', 2 * chunkSize],
  ])('gives its digests of a disk that is %s, the same each time', async (_, content, size) => {
    const disk = await diskOf(content, size)
    const { bytes, packed } = packLayer(disk)
    expect(packed()).toBeUndefined()
    const zipped = await buffer(bytes)
    const tar = gunzipSync(zipped)
    expect(packed()).toEqual({ digest: sha256(zipped), size: zipped.length, diffId: sha256(tar) })
    expect(tar.length % 512).toBe(0)
    expect(tar.subarray(1024, 1024 + content.length).toString()).toBe(content)
    expect(await measureLayer(disk)).toEqual(packed())
    await disk.close()
  })

  it('gives the digest that it always gave: a disk that was pushed by an older Drover is not sent again', async () => {
    const disk = await diskOf('a disk', chunkSize)
    expect((await measureLayer(disk))?.diffId).toBe(
      'sha256:f37f44e6ec994495171618e9aba578564a35e73449c3de234584bf8022ad2235',
    )
    await disk.close()
  })

  it('fails when the disk becomes smaller meanwhile', async () => {
    const disk = await diskOf('a disk', 2 * chunkSize)
    truncateSync(file, chunkSize)
    await expect(measureLayer(disk)).rejects.toThrow(`it ended before its ${2 * chunkSize} bytes`)
    await disk.close()
  })

  it('writes sizes beyond what a tar header has digits for', async () => {
    const size = 9 * 2 ** 30
    const { bytes } = packLayer({ size, chunks: async function* () {}, close: async () => {} })
    await bytes.next()
    const { value } = await bytes.next()
    const field = gunzipSync(value as Buffer).subarray(124, 136)
    expect(field[0]).toBe(0x80)
    expect(field.readBigUInt64BE(4)).toBe(BigInt(size))
  })
})
