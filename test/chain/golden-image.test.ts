import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { customizeName, pushName } from '../../shared/images/names.ts'
import { imageApplicationFile, imageFile, imageLockFile, imageManifestsFolder, runFile } from '../../shared/paths.ts'
import type { Definition } from '../../shared/schema/definition.ts'
import type { GoldenImage } from '../../shared/schema/golden-image.ts'
import { parseYaml } from '../../shared/yaml.ts'
import { type Chain, factsOf, isReal, small, startChain } from './harness.ts'
import { tick } from './lost.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain({ DROVER_GRACE_SECONDS: '2', DROVER_QUIET_MINUTES: '0.02' })
})
afterAll(() => chain.close())
afterEach(() => chain.mend())

let count = 0
const hex = 'a'.repeat(64)
const sources = {
  dataSource: { dataSource: 'rhel9', namespace: 'openshift-virtualization-os-images' },
  url: { url: 'https://cloud.example.com/rhel9.qcow2', checksum: `sha256:${hex}` },
  registry: { registry: `docker://registry.example.com/base/rhel9@sha256:${hex}` },
}
const push = { repository: 'registry.example.com/golden/rhel9', tag: '9.6' }

const requested = (change: object = {}) => {
  count += 1
  return {
    namespace: 'golden',
    image: `rhel9-${process.pid}-${count}`,
    cluster: 'site-a',
    source: sources.dataSource,
    size: '30Gi',
    customization: { update: true },
    ...change,
  }
}
type Requested = ReturnType<typeof requested>

async function asked(data: object) {
  const run = await chain.request(data, { lifecycle: 'golden-image' })
  return { run, ended: await run.ended }
}

async function made(data: object) {
  const { run, ended } = await asked(data)
  expect([ended.type, ended.data.message]).toEqual(['dev.drover.golden-image.completed', expect.anything()])
  return { run, ended, build: `${(data as Requested).image}-${run.id.slice(0, 8)}` }
}

async function failed(data: object) {
  const { run, ended } = await asked(data)
  expect(ended.type).toBe('dev.drover.golden-image.rolledback')
  return { run, message: ended.data.message, build: `${(data as Requested).image}-${run.id.slice(0, 8)}` }
}

const read = async (path: string) => parseYaml(await chain.git('show', `main:${path}`), path)
const imageOf = ({ image }: Requested) => read(imageFile(image)) as Promise<GoldenImage>
const at = (kind: string, name: string) => chain.look('site-a', kind, 'golden', name)
const contentOf = async (claim: string) =>
  (await at('PersistentVolumeClaim', claim))?.metadata.annotations?.['local.drover.dev/content']
const standsFor = async ({ image }: Requested) =>
  ((await at('DataSource', image))?.['spec'] as { source: { pvc: { name: string } } } | undefined)?.source.pvc.name
const filesOf = async (image: string) =>
  Object.keys(await chain.files()).filter(
    (path) => path.startsWith(`images/${image}/`) || path.includes(`/image.${image}.`),
  )
const isKept = async (build: string) =>
  (await at('DataVolume', build))?.metadata.annotations?.['argocd.argoproj.io/sync-options'] !== undefined

/** Argo CD and CDI need longer on the real controllers. */
const patiently = { timeout: 50_000 }

const rounds = ['import', 'secrets', 'customize', 'push', 'publish']

describe('a golden image', () => {
  it.each(Object.entries(sources))('is made from a %s', async (_, source) => {
    const data = requested({ source, push })
    const { run, ended, build } = await made(data)
    expect(factsOf(run)).toEqual([
      ...['requested', 'validated', 'held'],
      ...rounds.flatMap((round) => ['built', 'committed', 'verified'].map((fact) => `${round}.${fact}`)),
      ...['completed', 'notified'],
    ])
    expect(ended.data.message).toContain(`DataSource golden/${data.image} on site-a stands for disk ${build}`)
    expect(ended.data.message).toContain(`sha256:${'d'.repeat(64)}`)
    const image = await imageOf(data)
    expect(image.current).toMatchObject({ name: build, run: run.id, source, kept: true, pushed: push })
    expect(image.work).toBeUndefined()
    expect(await standsFor(data)).toBe(build)
    if (!isReal()) expect(await contentOf(build)).toContain(`+${customizeName({ name: build })}`)
    const files = await chain.files()
    for (const path of [runFile(run.id), imageLockFile(data.image)]) expect(files[path]).toBeUndefined()
    expect(files[imageApplicationFile('site-a', 'golden', data.image)]).toBeDefined()
    expect(Object.keys(files).filter((path) => path.startsWith(imageManifestsFolder(data.image)))).toEqual([
      `${imageManifestsFolder(data.image)}/datasource-${data.image}.yaml`,
      `${imageManifestsFolder(data.image)}/datavolume-${build}.yaml`,
    ])
  })

  it('is what machines are made from, and a newer one is what a repave finds', async () => {
    const data = requested()
    const first = await made(data)
    const machine = { image: { dataSource: data.image, namespace: 'golden' } }
    const template = (await read('templates/linux-small.yaml')) as object
    chain.interfere('templates/from-golden.yaml', JSON.stringify({ ...template, ...machine }))
    const made1 = await chain.request(small({ template: 'from-golden', placement: { cluster: 'site-a' } }))
    const { data: ready } = await made1.ended
    expect(ready.message).toContain('is ready on site-a')
    const name = ready.facts?.name ?? ''
    const definition = async () => (await read(`vms/site-a/shop/${name}/values.yaml`)) as Definition
    const before = await definition()
    expect(before.rootDisk.version).toBe(`pvc golden/${first.build}`)
    const second = await made(data)
    const repave = await chain.request({ namespace: 'shop', name }, { lifecycle: 'repave' })
    expect((await repave.ended).data.message).toContain('runs from')
    const after = await definition()
    expect(after.rootDisk.version).toBe(`pvc golden/${second.build}`)
    expect(after.rootDisk.name).not.toBe(before.rootDisk.name)
    const root = await chain.look('site-a', 'PersistentVolumeClaim', 'shop', after.rootDisk.name ?? '')
    expect(root).toBeDefined()
    const content = root?.metadata.annotations?.['local.drover.dev/content']
    if (!isReal()) expect(content).toContain(customizeName({ name: second.build }))
    // Argo CD sees what a closing run wrote when it looks at Git next: here, for the run after.
    await made(data)
    expect(await isKept(first.build)).toBe(false)
    expect(await isKept(second.build)).toBe(true)
  })

  it('keeps as many old disks as are to be kept', async () => {
    const data = requested({ customization: undefined, publish: { keep: 1 } })
    const builds = []
    for (let at = 0; at < 4; at += 1) builds.push((await made(data)).build)
    const [first = '', second = '', third, fourth] = builds
    const image = await imageOf(data)
    expect(image.current?.name).toBe(fourth)
    expect(image.older.map(({ name }) => name)).toEqual([third])
    // It had lost its protection before, so Argo CD could remove it.
    await expect.poll(() => at('DataVolume', first), patiently).toBeUndefined()
    expect((await filesOf(data.image)).filter((path) => path.includes(second))).toEqual([])
  })

  it('makes its secrets for as long as it needs them, and follows the tag beside', async () => {
    const secrets = [
      {
        name: 'golden-1',
        store: 'platform',
        storeKind: 'ClusterSecretStore',
        data: { password: { key: 'golden/rhel' } },
      },
    ]
    const customization = { rootPassword: { secret: 'golden-1', key: 'password' } }
    const data = requested({
      ...{ secrets, customization, push },
      publish: { follow: { schedule: '30 2 * * 0' }, instancetype: 'u1.small', preference: 'rhel.9' },
    })
    const { ended } = await made(data)
    expect(ended.data.message).toContain('stands for disk')
    expect(await at('DataImportCron', `${data.image}-latest`)).toBeDefined()
    expect(await at('ExternalSecret', 'golden-1')).toBeDefined()
    expect((await imageOf(data)).secrets).toEqual([])
    expect((await filesOf(data.image)).filter((path) => path.includes('secret'))).toEqual([])
  })

  it('follows the tag otherwise when it is asked to, with what it has imported so far', async () => {
    const name = requested().image
    const data = (schedule: string) => ({ ...requested({ push, publish: { follow: { schedule } } }), image: name })
    const scheduleNow = async () => {
      const cron = await at('DataImportCron', `${name}-latest`)
      return (cron?.['spec'] as { schedule?: string } | undefined)?.schedule
    }
    await made(data('30 2 * * 0'))
    await expect.poll(scheduleNow, patiently).toBe('30 2 * * 0')
    const imported = async () => JSON.stringify((await at('DataSource', `${name}-latest`))?.['spec'])
    // The real CDI finds no registry to import from.
    if (!isReal()) await expect.poll(imported, patiently).toContain(name)
    const before = await imported()
    await made({ ...data('45 3 * * 1'), size: '31Gi' })
    expect(await scheduleNow()).toBe('45 3 * * 1')
    expect(await imported()).toBe(before)
  })

  it('is planned without a change', async () => {
    const data = requested({ push, plan: true })
    const before = await chain.files()
    const { ended } = await made(data)
    expect(ended.data.message).toContain('Nothing was changed')
    expect(ended.data.message).toContain(`DataSource golden/${data.image} stands for disk`)
    expect(ended.data.facts?.plan).toContain(`A images/${data.image}/image.yaml`)
    expect(await chain.files()).toEqual(before)
  })

  it('goes on from Git when an event was lost', async () => {
    const data = requested()
    let lost = false
    chain.tamper.with = (name, { type }) => {
      if (lost || name !== 'verify' || !type.endsWith('golden-image.customize.committed')) return undefined
      lost = true
      return 204
    }
    const run = await chain.request(data, { lifecycle: 'golden-image' })
    await expect.poll(() => lost, patiently).toBe(true)
    await chain.idle()
    chain.tamper.with = () => undefined
    await expect
      .poll(
        async () => {
          await tick(chain)
          return factsOf(run).includes('completed')
        },
        { ...patiently, interval: 500 },
      )
      .toBe(true)
    expect((await run.ended).type).toBe('dev.drover.golden-image.completed')
  })

  it('refuses a second run while it is held', async () => {
    const data = requested()
    // Real storage takes its time by itself.
    chain.fault('sync-stuck')
    const first = await chain.request(data, { lifecycle: 'golden-image' })
    await expect.poll(async () => (await chain.files())[imageLockFile(data.image)], patiently).toBeDefined()
    const { message } = await failed(data)
    expect(message).toContain(`is held by run ${first.id}`)
    chain.mend()
    expect((await first.ended).type).toBe('dev.drover.golden-image.completed')
  })

  it('waits for the run that holds it where it is asked to, and is made after it', { timeout: 180_000 }, async () => {
    const data = requested({ customization: undefined })
    chain.fault('sync-stuck')
    const first = await chain.request(data, { lifecycle: 'golden-image' })
    await expect.poll(async () => (await chain.files())[imageLockFile(data.image)], patiently).toBeDefined()
    let refusals = 0
    chain.tamper.with = (name, { type }) => {
      if (name === 'locate' && type.endsWith('golden-image.validated')) refusals += 1
      return undefined
    }
    const second = await chain.request({ ...data, wait: true }, { lifecycle: 'golden-image' })
    // The Broker brings it again, for as long as the image is held.
    await expect.poll(() => refusals, patiently).toBeGreaterThan(1)
    expect(factsOf(second)).toEqual(['requested', 'validated'])
    chain.mend()
    expect((await first.ended).type).toBe('dev.drover.golden-image.completed')
    expect((await second.ended).type).toBe('dev.drover.golden-image.completed')
    chain.tamper.with = () => undefined
    const image = await imageOf(data)
    expect([image.current?.run, image.older[0]?.run]).toEqual([second.id, first.id])
  })

  it('does not take a DataSource over that is somebody else’s', async () => {
    await chain.make('site-a', {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'DataSource',
      metadata: { name: 'theirs', namespace: 'golden' },
      spec: { source: {} },
    })
    const { message } = await failed(requested({ publish: { dataSource: 'theirs' } }))
    expect(message).toContain('DataSource golden/theirs is there already and not this image’s'.replace('’', "'"))
  })

  it('is not made where the hub has no such cluster', async () => {
    const { message } = await failed(requested({ cluster: 'nowhere' }))
    expect(message).toContain('cluster is "nowhere", wanted a ManagedCluster of the hub')
  })
})

describe('an undo of a golden image', () => {
  it.each([
    ['import', 'import-fails', 'Cannot make the disk of image'],
    ['customize', 'job-fails', 'the work was made to fail'],
  ] as const)('leaves nothing of a first one that fails at %s', async (_, fault, says) => {
    chain.fault(fault)
    const data = requested({ source: sources.url })
    const { message, build } = await failed(data)
    expect(message).toContain(says)
    expect(await filesOf(data.image)).toEqual([])
    await expect.poll(() => at('DataVolume', build), patiently).toBeUndefined()
    expect(await at('Job', customizeName({ name: build }))).toBeUndefined()
  })

  it('leaves the latest disk as it was when a push fails, and says what may be in the registry', async () => {
    const data = requested({ customization: undefined })
    const first = await made(data)
    const before = await imageOf(data)
    chain.fault('job-fails')
    const { message, build } = await failed({ ...data, push })
    expect(message).toContain('the registry answered 401')
    expect(message).toContain(`stays in the registry, as ${push.repository}:${push.tag}`)
    expect(await imageOf(data)).toEqual(before)
    expect(await standsFor(data)).toBe(first.build)
    expect(await at('DataVolume', build)).toBeUndefined()
    expect(await at('Job', pushName({ name: build }))).toBeUndefined()
    expect((await chain.files())[imageLockFile(data.image)]).toBeUndefined()
  })

  it('gives machines the disk from before when a publication fails', async () => {
    const data = requested({ customization: undefined })
    const first = await made(data)
    // Nobody answers for the round: the Broker gives up on it.
    chain.tamper.with = (name, { type }) =>
      name === 'verify' && type.endsWith('golden-image.publish.committed') ? 400 : undefined
    const { build } = await failed(data)
    chain.tamper.with = () => undefined
    expect(await standsFor(data)).toBe(first.build)
    await expect.poll(() => at('DataVolume', build), patiently).toBeUndefined()
    expect(await isKept(first.build)).toBe(true)
  })
})
