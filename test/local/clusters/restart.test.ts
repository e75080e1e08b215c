import { CustomObjectsApi } from '@kubernetes/client-node'
import { expect, it } from 'vitest'
import { newIdentity } from '../../../local/clusters/api/serve.ts'
import type { Clusters } from '../../../local/clusters/clusters.ts'
import { application, configOf, dataVolume, golden, machine, refresh, startFleet, synced, until } from './harness.ts'

const files = {
  'apps/demo/disk.yaml': dataVolume('demo-root', golden),
  'apps/demo/vm.yaml': machine('demo', { disks: ['demo-root'] }),
  'hub/demo.yaml': application('demo'),
}
const off = { 'apps/demo/vm.yaml': machine('demo', { disks: ['demo-root'], spec: { runStrategy: 'Halted' } }) }

/** How the API says that the machine is. */
async function statusOf(clusters: Clusters): Promise<string> {
  const api = configOf(clusters, 'site-a').makeApiClient(CustomObjectsApi)
  const place = { group: 'kubevirt.io', version: 'v1', namespace: 'shop', plural: 'virtualmachines', name: 'demo' }
  return (await api.getNamespacedCustomObject(place)).status.printableStatus
}

it('controllers that are ended do nothing, and others go on where they were', async () => {
  const { clusters, commit, end } = await startFleet({ files, bootstrap: true })
  const site = clusters.store('site-a')
  await until(site, 'VirtualMachine', 'shop/demo', { 'status.printableStatus': 'Running' })
  let revision = ''
  await clusters.restartControllers(async () => {
    revision = commit(off)
    refresh(clusters.store('hub'), 'demo')
    await new Promise((done) => setTimeout(done, 200))
    expect(site.get('VirtualMachine', 'shop', 'demo')?.['spec']).toMatchObject({ runStrategy: 'Always' })
  })
  await synced(clusters.store('hub'), 'demo', revision)
  await until(site, 'VirtualMachine', 'shop/demo', { 'status.printableStatus': 'Stopped' })
  await end()
})

it('servers that are ended come back at their ports, and know who they knew', async () => {
  const { clusters, commit, end } = await startFleet({ files, bootstrap: true })
  const site = clusters.store('site-a')
  await until(site, 'VirtualMachine', 'shop/demo', { 'status.printableStatus': 'Running' })
  expect(await statusOf(clusters)).toBe('Running')
  await clusters.restartServers(async () => {
    await expect(statusOf(clusters)).rejects.toThrow()
    commit(off)
    refresh(clusters.store('hub'), 'demo')
    await until(site, 'VirtualMachine', 'shop/demo', { 'status.printableStatus': 'Stopped' })
  })
  expect(await statusOf(clusters)).toBe('Stopped')
  await end()
})

it('clusters of one identity are known by it at the next start', async () => {
  const identity = newIdentity(['hub', 'site-a', 'site-b'])
  const { clusters, start, end } = await startFleet({ identity })
  const users = clusters.kubeconfig.users
  expect(new Set(users.map(({ user }) => user.token)).size).toBe(3)
  await clusters.close()
  const again = await start()
  expect(again.kubeconfig.users).toEqual(users)
  await again.close()
  await end()
})
