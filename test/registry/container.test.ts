import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pushJob } from '../../shared/images/push-job.ts'
import { type Image, makeImage, startContainer, whyNoContainers } from '../runtime/container.ts'
import { secret } from './push.ts'
import { account, makeRegistry, type Registry } from './registry.ts'

/** The push as its Job runs it: the Job's arguments, variables, mounts and user, on a root file system that is read-only. */

const reason = whyNoContainers()
const directory = mkdtempSync(join(tmpdir(), 'drover-registry-container-'))
let registry: Registry
let image: Image

describe.skipIf(reason)(`push-disk in its container${reason ? ` (skipped: ${reason})` : ''}`, () => {
  beforeAll(async () => {
    registry = await makeRegistry(directory)
    await registry.start()
    image = await makeImage(join(directory, 'root'), new URL('../../Containerfile', import.meta.url).pathname)
  })
  afterAll(async () => {
    await registry.kill()
    rmSync(directory, { recursive: true, force: true })
  })

  it('pushes as user 107, which may write nowhere', async () => {
    const disks = join(directory, 'disks')
    mkdirSync(disks)
    writeFileSync(join(disks, 'disk.img'), 'a disk', { mode: 0o444 })
    const secrets = secret(directory, account)
    for (const folder of [directory, secrets]) chmodSync(folder, 0o755)
    const folders: Record<string, string> = { disk: disks, registry: secrets, authorities: registry.authorities }

    const { spec } = pushJob({
      ...{ name: 'push', namespace: 'golden', labels: {}, claim: 'disk', volumeMode: 'Filesystem', image: 'drover' },
      ...{ repository: `${registry.host}/golden/rhel9`, tag: 'v1', created: '2026-01-01T00:00:00Z', provenance: {} },
      ...{ secret: 'push', caConfigMap: 'authorities', deadlineSeconds: 60 },
    }).spec.template
    const [container] = spec.containers
    if (!container) throw new Error('The Job has no container')
    const mounts = container.volumeMounts.map(({ name, mountPath }) => {
      mkdirSync(join(image.root, mountPath), { recursive: true })
      return [mountPath, { folder: folders[name] ?? '' }] as const
    })
    const env = Object.fromEntries(container.env.map(({ name, value }) => [name, value]))
    const user = spec.securityContext.runAsUser
    const config = { user, env, mounts: Object.fromEntries(mounts) }
    const running = startContainer({ ...image, command: container.args }, config)
    const [code] = await once(running.child, 'exit')
    expect(running.said()).toContain('"msg":"The disk is pushed","digest":"sha256:')
    expect(code).toBe(0)
    expect(`${await registry.get('golden/rhel9/tags/list')}`).toContain('"tags":["v1"]')
  })
})
