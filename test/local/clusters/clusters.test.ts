import { execFile, execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node'
import { describe, expect, it } from 'vitest'
import { freePorts } from '../../../local/free-port.ts'
import { listenAt } from '../../../local/listen.ts'
import { application, configOf, dataVolume, golden, machine, startFleet, synced, until, url } from './harness.ts'

const run = promisify(execFile)
const hasKubectl = (() => {
  try {
    execFileSync('kubectl', ['version', '--client'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

const files = {
  'apps/demo/disk.yaml': dataVolume('demo-root', golden),
  'apps/demo/data.yaml': dataVolume('demo-data', {}, { 'argocd.argoproj.io/sync-options': 'Prune=false,Delete=false' }),
  'apps/demo/vm.yaml': machine('demo', { disks: ['demo-root', 'demo-data'] }),
  'hub/demo.yaml': application('demo'),
}

it('a second start over the same directory goes on with the same fleet', async () => {
  const fleet = await startFleet({ files, bootstrap: true })
  await fleet.end()
  const again = await startFleet({ files, bootstrap: true })
  const directory = join(again.folder, 'state')
  const start = () => startWith(again.folder, directory)
  await again.clusters.close()

  const first = await start()
  await until(first.store('site-a'), 'VirtualMachine', 'shop/demo', { 'status.ready': true })
  const before = first.store('site-a').get('VirtualMachine', 'shop', 'demo')
  await first.close()
  expect(readdirSync(directory).sort()).toEqual(['hub.json', 'site-a.json', 'site-b.json'])

  const second = await start()
  const { version } = second.store('site-a')
  expect(second.store('site-a').get('VirtualMachine', 'shop', 'demo')?.metadata.uid).toBe(before?.metadata.uid)
  const revision = again.commit({
    'apps/demo/vm.yaml': machine('demo', { disks: ['demo-root', 'demo-data'], spec: { runStrategy: 'Halted' } }),
  })
  const app = second.store('hub').get('Application', 'argocd', 'demo')
  if (app)
    second.store('hub').modify(app, (current) => ({
      ...current,
      metadata: { ...current.metadata, annotations: { 'argocd.argoproj.io/refresh': 'hard' } },
    }))
  await synced(second.store('hub'), 'demo', revision)
  await until(second.store('site-a'), 'VirtualMachine', 'shop/demo', { 'status.printableStatus': 'Stopped' })
  expect(second.store('site-a').version).toBeGreaterThan(version)
  await second.close()
  rmSync(again.folder, { recursive: true, force: true })
})

async function startWith(folder: string, directory: string) {
  const { startClusters } = await import('../../../local/clusters/clusters.ts')
  return startClusters({ repository: { url, path: join(folder, 'fleet.git') }, delays: 0, bootstrap: true, directory })
}

it('the kubeconfig has a context per cluster and lets the real client in, nobody else', async () => {
  const fleet = await startFleet({ currentContext: 'site-b', kubeconfigPath: undefined })
  const config = configOf(fleet.clusters, 'site-b')
  expect(config.getContexts().map(({ name }) => name)).toEqual(['hub', 'site-a', 'site-b'])
  expect(fleet.clusters.kubeconfig['current-context']).toBe('site-b')
  const { items } = await config.makeApiClient(CoreV1Api).listNamespace()
  expect(items.length).toBeGreaterThan(0)
  const users = fleet.clusters.kubeconfig.users.map((user) => ({ ...user, user: { token: 'wrong' } }))
  const stranger = new KubeConfig()
  stranger.loadFromString(JSON.stringify({ ...fleet.clusters.kubeconfig, users }))
  await expect(stranger.makeApiClient(CoreV1Api).listNamespace()).rejects.toMatchObject({ code: 401 })
  await fleet.end()
})

it.each([
  [['hub'], 'Cannot start cluster hub: there is one already, wanted names that differ'],
  [['a', 'a'], 'Cannot start cluster a: there is one already, wanted names that differ'],
])('clusters named %j are refused', async (names, message) => {
  await expect(startFleet({ clusters: names })).rejects.toThrow(message)
})

it('a port that is taken is refused with a sentence, and no other port stays open', async () => {
  const first = await startFleet()
  const port = Number(new URL(configOf(first.clusters, 'site-b').getCurrentCluster()?.server ?? '').port)
  const message = `Cannot serve cluster site-b on port ${port}: listen EADDRINUSE: address already in use 127.0.0.1:${port}`
  const [hub = 0] = await freePorts(1)
  await expect(startFleet({ ports: { hub, 'site-b': port } })).rejects.toThrow(message)
  const server = createServer()
  expect(await listenAt(server, hub)).toBe(hub)
  server.close()
  await first.end()
})

it('a kind is on the clusters that have it in life', async () => {
  const fleet = await startFleet()
  const [hub, site] = [fleet.clusters.store('hub'), fleet.clusters.store('site-a')]
  const kinds = ['Namespace', 'Application', 'VirtualMachine']
  expect(kinds.map((kind) => [hub.has(kind), site.has(kind)])).toEqual([
    [true, true],
    [true, false],
    [false, true],
  ])
  expect(() => fleet.clusters.store('mars')).toThrow('Cannot find cluster mars: there are hub, site-a, site-b')
  await fleet.end()
})

it('closing ends watches and ports', async () => {
  const fleet = await startFleet()
  const config = configOf(fleet.clusters, 'hub')
  await fleet.end()
  await expect(config.makeApiClient(CoreV1Api).listNamespace()).rejects.toThrow('fetch failed')
})

it('delays let a machine take its time', async () => {
  const fleet = await startFleet({ delays: { scale: 0, steps: { boot: 80 } } })
  const store = fleet.clusters.store('site-a')
  store.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
  store.create(machine('slow'))
  await until(store, 'VirtualMachineInstance', 'shop/slow', { 'status.phase': 'Scheduled' })
  const began = performance.now()
  await until(store, 'VirtualMachineInstance', 'shop/slow', { 'status.phase': 'Running' })
  expect(performance.now() - began).toBeGreaterThan(70)
  await fleet.end()
})

describe.skipIf(!hasKubectl)('kubectl', () => {
  it('gets, describes, applies, waits for and deletes what is simulated', async () => {
    const fleet = await startFleet({ files, bootstrap: true })
    const { clusters, folder } = fleet
    const kubeconfig = join(folder, 'kubeconfig')
    const { writeFile } = await import('node:fs/promises')
    await writeFile(kubeconfig, JSON.stringify(clusters.kubeconfig))
    await until(clusters.store('site-a'), 'VirtualMachine', 'shop/demo', { 'status.ready': true })
    await until(clusters.store('hub'), 'Application', 'argocd/demo', { 'status.health.status': 'Healthy' })
    const kubectl = async (...args: string[]) =>
      (await run('kubectl', ['--kubeconfig', kubeconfig, '--cache-dir', join(folder, 'cache'), ...args])).stdout
    const words = (text: string) =>
      text
        .trim()
        .split('\n')
        .map((line) => line.split(/\s{2,}/))

    expect(words(await kubectl('--context', 'site-a', 'get', 'vm', '-A'))).toEqual([
      ['NAMESPACE', 'NAME', 'AGE', 'STATUS', 'READY'],
      ['shop', 'demo', expect.any(String), 'Running', 'True'],
    ])
    expect(words(await kubectl('--context', 'hub', 'get', 'applications', '-A'))).toContainEqual([
      'argocd',
      'demo',
      'Synced',
      'Healthy',
    ])
    expect(words(await kubectl('--context', 'site-a', 'get', 'dv', '-n', 'shop'))).toContainEqual([
      'demo-root',
      'Succeeded',
      '100.0%',
      expect.any(String),
    ])
    expect(await kubectl('--context', 'site-a', 'describe', 'vm', 'demo', '-n', 'shop')).toMatch(
      /Printable Status: +Running[\s\S]*SuccessfulCreate/,
    )

    const manifest = join(folder, 'map.yaml')
    const apply = async (data: object) => {
      await writeFile(
        manifest,
        JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kept', namespace: 'shop' }, data }),
      )
      return kubectl('--context', 'site-a', 'apply', '--validate=false', '-f', manifest)
    }
    expect(await apply({ a: '1', b: '2' })).toBe('configmap/kept created\n')
    expect(await apply({ a: '1' })).toBe('configmap/kept configured\n')
    expect(clusters.store('site-a').get('ConfigMap', 'shop', 'kept')?.['data']).toEqual({ a: '1' })
    expect(await kubectl('--context', 'site-a', 'delete', 'configmap', 'kept', '-n', 'shop')).toMatch(/deleted/)
    await expect(kubectl('--context', 'site-a', 'get', 'vm', 'none', '-n', 'shop')).rejects.toThrow(
      'Error from server (NotFound): virtualmachines.kubevirt.io "none" not found',
    )
    expect(existsSync(kubeconfig) && readFileSync(kubeconfig, 'utf8')).toContain('"current-context":"hub"')
    await fleet.end()
  }, 30_000)
})
