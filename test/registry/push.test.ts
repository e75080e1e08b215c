import { createHash } from 'node:crypto'
import { globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { extract } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mediaTypes } from '../../shared/images/oci-image.ts'
import { attach, diskSize, makeDisk } from './disk.ts'
import { runPush, secret } from './push.ts'
import { account, makeRegistry, type Registry } from './registry.ts'

const directory = mkdtempSync(join(tmpdir(), 'drover-registry-'))
const disk = join(directory, 'disk.img')
let registry: Registry
let credentials: string

beforeAll(async () => {
  makeDisk(disk)
  credentials = secret(directory, account)
  registry = await makeRegistry(directory)
  await registry.start()
})
afterAll(async () => {
  await registry.kill()
  rmSync(directory, { recursive: true, force: true })
})

const repositoryOf = (path: string) => `${registry.host}/${path}`
const usual = () => ({ disk, credentials, authorities: registry.authorities })
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

interface Manifest {
  config: { digest: string }
  layers: { digest: string; mediaType: string; size: number }[]
  annotations: Record<string, string>
}
const manifestOf = async (path: string, reference: string) => {
  const bytes = await registry.get(`${path}/manifests/${reference}`, mediaTypes.manifest)
  return { digest: `sha256:${sha256(bytes)}`, manifest: JSON.parse(`${bytes}`) as Manifest }
}

/** All that is in a layer. */
async function unpack(layer: Buffer) {
  const found: { name: string; type: string; uid: number; gid: number; mode: number; content: string; size: number }[] =
    []
  const tar = extract()
  tar.end(layer)
  for await (const entry of tar) {
    const { name, type, uid, gid, mode, size } = entry.header
    const hash = createHash('sha256')
    for await (const part of entry) hash.update(part as Buffer)
    found.push({
      name,
      type: `${type}`,
      uid: uid ?? 0,
      gid: gid ?? 0,
      mode: mode ?? 0,
      size: size ?? 0,
      content: hash.digest('hex'),
    })
  }
  return found
}

describe('push-disk', () => {
  it('pushes a disk that is read back byte for byte', async () => {
    const annotations = {
      'org.opencontainers.image.revision': 'c0ffee',
      'org.opencontainers.image.title': 'RHEL 9 $(PATH)',
    }
    const given = { ...usual(), annotations, instancetype: 'u1.medium', preference: 'rhel.9' }
    const ended = await runPush(directory, { repository: repositoryOf('golden/rhel9'), ...given })
    expect(ended).toMatchObject({ code: 0, log: expect.stringContaining('The disk is pushed') })
    process.stdout.write(`300 MB: ${ended.seconds.toFixed(1)} s, ${ended.peak.toFixed(0)} MiB\n`)
    expect(ended.peak).toBeLessThan(256)
    const pushed = JSON.parse(ended.message) as { digest: string; size: number }
    const { digest, manifest } = await manifestOf('golden/rhel9', 'v1')
    expect(pushed).toEqual({ digest, size: diskSize })
    expect(manifest.annotations).toEqual({ ...annotations, 'org.opencontainers.image.created': '2026-01-01T00:00:00Z' })
    expect(manifest.layers).toEqual([expect.objectContaining({ mediaType: mediaTypes.layer })])

    const zipped = await registry.get(`golden/rhel9/blobs/${manifest.layers[0]?.digest}`)
    const layer = gunzipSync(zipped)
    const config = JSON.parse(`${await registry.get(`golden/rhel9/blobs/${manifest.config.digest}`)}`)
    expect(config).toMatchObject({
      os: 'linux',
      architecture: 'amd64',
      rootfs: { diff_ids: [`sha256:${sha256(layer)}`] },
    })
    expect(config.config.Env).toEqual([
      'INSTANCETYPE_KUBEVIRT_IO_DEFAULT_INSTANCETYPE=u1.medium',
      'INSTANCETYPE_KUBEVIRT_IO_DEFAULT_PREFERENCE=rhel.9',
    ])
    expect(await unpack(layer)).toEqual([
      expect.objectContaining({ name: 'disk/', type: 'directory', uid: 107, gid: 107 }),
      expect.objectContaining({
        ...{ name: 'disk/disk.img', type: 'file', uid: 107, gid: 107, mode: 0o440, size: diskSize },
        content: sha256(readFileSync(disk)),
      }),
    ])
    // What was never written costs next to nothing.
    expect(zipped.length).toBeLessThan(42_000_000)
  })

  it('gives the same digest a second time, and sends nothing but the manifest', async () => {
    const repository = repositoryOf('golden/twice')
    const first = await runPush(directory, { repository, ...usual() })
    const before = registry.requests().length
    const second = await runPush(directory, { repository, ...usual() })
    expect(second).toMatchObject({ code: 0, message: first.message })
    const sent = registry
      .requests()
      .slice(before)
      .filter((one) => !/^(GET|HEAD) /.test(one))
    expect(sent).toEqual(['PUT /v2/golden/twice/manifests/v1 201'])
  })

  it('gives the same digest for a block device, whose size nobody says', async () => {
    const { device, detach } = attach(disk)
    try {
      const file = await runPush(directory, { repository: repositoryOf('golden/file'), ...usual() })
      const block = await runPush(directory, { repository: repositoryOf('golden/block'), ...usual(), disk: device })
      expect(block).toMatchObject({ code: 0, message: file.message })
    } finally {
      detach()
    }
  })

  it('begins a layer anew when the registry dies in the middle of it', async () => {
    const pushing = runPush(directory, { repository: repositoryOf('golden/killed'), ...usual() })
    const parts = () => globSync('**/killed/_uploads/*/data', { cwd: registry.storage })
    const sizes = () => parts().map((one) => statSync(join(registry.storage, one)).size)
    for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(5))
      if (sizes().some((size) => size > 5_000_000)) break
    await registry.kill()
    expect(sizes().every((size) => size < 41_000_000)).toBe(true)
    await registry.start()
    const ended = await pushing
    expect(ended).toMatchObject({ code: 0, log: expect.stringMatching(/Cannot reach .*; once more in 1 s/) })
    expect(JSON.parse(ended.message).digest).toBe((await manifestOf('golden/killed', 'v1')).digest)
  })

  const wrong = () => secret(directory, { ...account, password: 'wr0ng-passw0rd' })
  const none = 'look whether user name and password in the Secret are right, and not expired'
  it.each<[string, () => Partial<Parameters<typeof runPush>[1]>, string]>([
    ['a wrong password', () => ({ credentials: wrong() }), `it answered 401 to the question for the tag; ${none}`],
    [
      'a docker config for others',
      () => ({
        credentials: secret(directory, { '.dockerconfigjson': '{"auths":{"a.example":{"auth":"dTpwNHNz"}}}' }),
      }),
      'its Secret has a docker config without an entry for it',
    ],
    [
      'a certificate of nobody known',
      () => ({ authorities: '' }),
      'its certificate is not to be trusted (UNABLE_TO_VERIFY_LEAF_SIGNATURE); name a ConfigMap',
    ],
    [
      'a registry that speaks TLS where http is wanted',
      () => ({ insecure: true }),
      'look whether it wants http or https',
    ],
    [
      'a name that climbs',
      () => ({ repository: repositoryOf('golden/../../secrets') }),
      '".." is not a part of a path',
    ],
    [
      'a name with a query',
      () => ({ repository: repositoryOf('golden/x?digest=y') }),
      '"x?digest=y" is not a part of a path',
    ],
    ['a tag that climbs', () => ({ tag: '../blobs/uploads' }), 'it is not a tag'],
    [
      'a disk that is not there',
      () => ({ disk: '/disks/disk.img' }),
      'Cannot read the disk /disks/disk.img: there is none',
    ],
  ])('ends at once on %s, and says why', async (_, change, sentence) => {
    const before = registry.requests().length
    const ended = await runPush(directory, { repository: repositoryOf('golden/refused'), ...usual(), ...change() })
    expect(ended.code).toBe(1)
    expect(ended.message).toContain(sentence)
    expect(`${ended.message}${ended.log}`).not.toMatch(/wr0ng|p4ss|once more|correct horse/)
    expect(
      registry
        .requests()
        .slice(before)
        .filter((one) => /^(POST|PATCH|PUT) /.test(one)),
    ).toEqual([])
  })

  it('takes a docker config, as kubelet does', async () => {
    const small = join(directory, 'small.img')
    writeFileSync(small, 'a disk')
    const auth = Buffer.from(`${account.username}:${account.password}`).toString('base64')
    const config = JSON.stringify({ auths: { [registry.host]: { auth } } })
    const given = { ...usual(), disk: small, credentials: secret(directory, { '.dockerconfigjson': config }) }
    const ended = await runPush(directory, { repository: repositoryOf('golden/small'), ...given })
    expect(ended).toMatchObject({ code: 0, message: expect.stringContaining('"size":6}') })
  })
})
