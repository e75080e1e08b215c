import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { KubeObject } from '../../local/clusters/object.ts'
import { parseYaml } from '../../shared/yaml.ts'
import { type Chain, small, startChain } from '../chain/harness.ts'
import { openApi } from './api.ts'
import { until } from './platform.ts'

/** What Git says and what the controllers made of it stay the same: admission and defaults change nothing that we wrote. */

const plane = inject('controlPlane')
if (!plane) throw new Error('Cannot run on the stand-ins: this is about the real controllers')
const api = openApi(plane.kubeconfig)

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterAll(async () => {
  await chain.close()
  api.close()
})

interface Status {
  sync?: { status: string; revision?: string }
  health?: { status: string }
  resources?: { kind: string; name: string; status?: string; health?: { status: string } }[]
  operationState?: { phase: string; finishedAt?: string; syncResult?: { revision: string } }
  conditions?: { type: string; message: string }[]
  reconciledAt?: string
}

const statusOf = async (name: string) =>
  ((await api.get('Application', 'argocd', name)) as { status?: Status } | undefined)?.status ?? {}

/** Asks Argo CD to compare everything anew, and waits until it has. */
async function compareAnew(name: string): Promise<Status> {
  const refresh = 'argocd.argoproj.io/refresh'
  await api.merge('Application', 'argocd', name, { metadata: { annotations: { [refresh]: 'hard' } } })
  await until(`${name} is compared`, async () => {
    const application = await api.get('Application', 'argocd', name)
    return application?.metadata.annotations?.[refresh] === undefined
  })
  return statusOf(name)
}

const machines: [template: string, data: object][] = [
  ['linux-small', small({ placement: { cluster: 'site-a' } })],
  [
    'plain CPU and memory, and a data disk',
    small({
      placement: { cluster: 'site-a' },
      size: { cores: 2, memory: '4Gi' },
      disks: [{ name: 'data', size: '5Gi' }],
    }),
  ],
  ...['provision-database', 'provision-windows'].map((name): [string, object] => [
    name,
    // Of a machine with the example's own name there may be disks that were kept, and are not in Git.
    { ...JSON.parse(readFileSync(`examples/${name}.json`, 'utf8')).data, name: small().name },
  ]),
]

describe('a machine on the real controllers', () => {
  it.concurrent.each(machines)(
    'of %s is accepted by every admission, and in sync still a minute later',
    async (_, data) => {
      const run = await chain.request(data)
      const { type, data: ended } = await run.ended
      expect([type, ended.message]).toEqual(['dev.drover.provision.completed', expect.stringContaining('is ready on')])
      const name = ended.vmName ?? ''
      const began = await compareAnew(name)
      await sleep(60_000)
      const status = await compareAnew(name)
      const outOfSync = status.resources
        ?.filter((one) => one.status !== 'Synced')
        .map(({ kind, name }) => `${kind} ${name}`)
      expect({ sync: status.sync?.status, outOfSync, conditions: status.conditions }).toEqual({
        sync: 'Synced',
        outOfSync: [],
        conditions: undefined,
      })
      // Nothing had to be put right in the meantime.
      expect(status.operationState?.finishedAt).toBe(began.operationState?.finishedAt)
      expect(status.health?.status).toBe('Healthy')
    },
    240_000,
  )

  it('keeps every field as Git has it', async () => {
    const run = await chain.request(small({ placement: { cluster: 'site-a' }, disks: [{ name: 'data', size: '5Gi' }] }))
    const { facts, vmName } = (await run.ended).data
    const folder = `vms/${facts?.cluster}/shop/${vmName}/manifests`
    const paths = Object.keys(await chain.files()).filter((path) => path.startsWith(`${folder}/`))
    expect(paths.length).toBeGreaterThan(4)
    for (const path of paths) {
      const wanted = parseYaml(await chain.git('show', `main:${path}`)) as KubeObject
      const live = await api.get(wanted.kind, wanted.metadata.namespace ?? '', wanted.metadata.name)
      expect(live, path).toMatchObject({
        ...wanted,
        metadata: { name: wanted.metadata.name, labels: wanted.metadata.labels },
      })
    }
  })
})
