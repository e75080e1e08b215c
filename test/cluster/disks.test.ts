import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { KubeObject } from '../../local/clusters/object.ts'
import { applicationFile, machineFolder } from '../../shared/paths.ts'
import { type Chain, small, startChain } from '../chain/harness.ts'
import { openApi } from './api.ts'
import { until } from './platform.ts'

/** Whatever goes, on purpose or by mistake: a data disk stays, with the very same claim and volume. */

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

interface Machine {
  name: string
  claim: string
  root: string
  uid: string
  volume: string
}

async function provisioned(): Promise<Machine> {
  const disks = [{ name: 'data', size: '5Gi' }]
  const run = await chain.request(small({ disks, placement: { cluster: 'site-a' } }))
  const { type, data } = await run.ended
  expect([type, data.message]).toEqual(['dev.drover.provision.completed', expect.any(String)])
  const name = data.vmName ?? ''
  const claim = `${name}-data-data-${data.facts?.identity?.uuid.slice(0, 6)}`
  const { uid, volume } = await claimOf(claim)
  const root = (await api.list('DataVolume', 'shop')).find(({ metadata }) => metadata.name.startsWith(`${name}-root-`))
  return { name, claim, root: root?.metadata.name ?? '', uid, volume }
}

async function claimOf(name: string) {
  const claim = await api.get('PersistentVolumeClaim', 'shop', name)
  expect(claim, `claim ${name}`).toBeDefined()
  expect(claim?.metadata.deletionTimestamp).toBeUndefined()
  return {
    uid: claim?.metadata.uid ?? '',
    volume: String((claim?.['spec'] as { volumeName?: string } | undefined)?.volumeName),
  }
}

const gone = (kind: string, namespace: string, name: string) =>
  until(`${kind} ${name} is gone`, async () => (await api.get(kind, namespace, name)) === undefined)

/** The disk's claim is the one that it was, and still is after the controllers had time to think about it. */
async function expectKept({ claim, uid, volume }: Machine): Promise<void> {
  await sleep(3_000)
  expect(await claimOf(claim)).toEqual({ uid, volume })
  expect(await api.get('DataVolume', 'shop', claim)).toBeDefined()
}

const refresh = (name: string) =>
  api.merge('Application', 'argocd', name, { metadata: { annotations: { 'argocd.argoproj.io/refresh': 'hard' } } })

interface Compared {
  status: { conditions?: { message: string }[] }
}

describe.concurrent('a data disk survives', () => {
  it('the removal of its manifest from Git, which Argo CD would prune', async () => {
    const machine = await provisioned()
    const folder = `${machineFolder('site-a', 'shop', machine.name)}/manifests`
    const files = Object.keys(await chain.files()).filter((path) => path.startsWith(folder))
    const path = files.find((one) => one.includes(machine.claim))
    expect(path).toBeDefined()
    chain.interfere(path ?? '', null)
    await refresh(machine.name)
    await expectKept(machine)
    const application = (await api.get('Application', 'argocd', machine.name)) as KubeObject & {
      status: { sync: object }
    }
    await until('the Application is in sync without it', async () => {
      const one = (await api.get('Application', 'argocd', machine.name)) as typeof application
      return (one.status.sync as { status: string }).status === 'Synced'
    })
  })

  it('the removal of the whole machine from Git', async () => {
    const machine = await provisioned()
    const folder = machineFolder('site-a', 'shop', machine.name)
    for (const path of Object.keys(await chain.files())) if (path.startsWith(`${folder}/`)) chain.interfere(path, null)
    await refresh(machine.name)
    // Argo CD takes a folder that is not there for a mistake, and leaves everything as it is.
    await until('the Application misses its folder', async () => {
      const { status } = (await api.get('Application', 'argocd', machine.name)) as unknown as Compared
      return status.conditions?.some(({ message }) => message.includes('app path does not exist')) === true
    })
    expect(await api.get('VirtualMachine', 'shop', machine.name)).toBeDefined()
    chain.interfere(applicationFile('site-a', 'shop', machine.name), null)
    await refresh('drover-hub')
    await gone('VirtualMachine', 'shop', machine.name)
    await gone('DataVolume', 'shop', machine.root)
    await expectKept(machine)
  })

  it('the deletion of its Application by hand', async () => {
    const machine = await provisioned()
    chain.interfere(applicationFile('site-a', 'shop', machine.name), null)
    await api.remove('Application', 'argocd', machine.name)
    await gone('Application', 'argocd', machine.name)
    await gone('VirtualMachine', 'shop', machine.name)
    await expectKept(machine)
  })

  it('the deletion of an ApplicationSet that took the Application over', async () => {
    const machine = await provisioned()
    const set = `set-${machine.name}`
    const application = (await api.get('Application', 'argocd', machine.name)) as KubeObject & { spec: object }
    chain.interfere(applicationFile('site-a', 'shop', machine.name), null)
    await api.call('POST', '/apis/argoproj.io/v1alpha1/namespaces/argocd/applicationsets', {
      body: {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'ApplicationSet',
        metadata: { name: set, namespace: 'argocd' },
        spec: {
          generators: [{ list: { elements: [{ name: machine.name }] } }],
          template: {
            metadata: { name: machine.name, finalizers: ['resources-finalizer.argocd.argoproj.io'] },
            spec: application.spec,
          },
        },
      },
    })
    const path = `/apis/argoproj.io/v1alpha1/namespaces/argocd/applicationsets/${set}`
    await until('the ApplicationSet owns it', async () =>
      Boolean((await api.get('Application', 'argocd', machine.name))?.metadata.ownerReferences?.length),
    )
    await api.call('DELETE', path, {
      body: { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Foreground' },
    })
    await gone('VirtualMachine', 'shop', machine.name)
    await expectKept(machine)
  })

  it('the deletion of its VirtualMachine by hand, and gets its machine back', async () => {
    const machine = await provisioned()
    const before = await api.get('VirtualMachine', 'shop', machine.name)
    await api.remove('VirtualMachine', 'shop', machine.name)
    await until('the machine is made again', async () => {
      const now = await api.get('VirtualMachine', 'shop', machine.name)
      return (
        now !== undefined &&
        now.metadata.uid !== before?.metadata.uid &&
        (now['status'] as { ready?: boolean })?.ready === true
      )
    })
    await expectKept(machine)
  })

  it('the undo of the run that made it', async () => {
    const disks = [{ name: 'data', size: '5Gi' }]
    const data = small({ disks, placement: { cluster: 'site-a' } })
    chain.tamper.with = (name, { type, run }) =>
      name === 'register' && type.endsWith('create.verified') && run === failing ? 400 : undefined
    let failing = ''
    const run = await chain.request(data)
    failing = run.id
    const { type, data: ended } = await run.ended
    expect(type).toBe('dev.drover.provision.rolledback')
    const [kept = ''] = ended.facts?.kept ?? []
    expect(kept).toMatch(/^shop\//)
    await claimOf(kept.slice('shop/'.length))
  })
}, 180_000)
