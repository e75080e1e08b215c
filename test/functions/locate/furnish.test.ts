import { describe, expect, it } from 'vitest'
import { furnish } from '../../../functions/locate/furnish.ts'
import type { GoldenImages } from '../../../shared/golden-images.ts'
import type { LifecycleName } from '../../../shared/lifecycles.ts'
import type { Machines } from '../../../shared/machines.ts'
import { templateFile } from '../../../shared/paths.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import { type Outcome, succeeded } from '../../../shared/step.ts'
import { parseYaml, toYaml } from '../../../shared/yaml.ts'
import { starterFiles } from '../../examples/starter.ts'
import { databaseServer } from '../../shared/kubevirt/definitions.ts'
import { changing, fleetHaving } from '../changes.ts'
import { machinesShowing } from '../machines.ts'

const disks = ['db-01-root-71f75f7d', 'db-01-data-data-4f3104', 'db-01-data-wal-4f3104']
const taken = { name: 'db-01-clean', purpose: 'asked', run: 'r', taken: '2030-01-01T00:00:00.000Z', disks } as const
const server = databaseServer({ snapshots: [taken] })
const volumes = { rootdisk: 'vs-root', 'data-data': 'vs-data', 'data-wal': 'vs-wal' }
const { storageClass: _, ...root } = { ...server.rootDisk, name: disks[0] as string, image: server.image }
const another = { dataSource: 'rhel10', namespace: 'golden' }

const older: Partial<Machines> = { restoring: async () => 'new disks', volumesOf: async () => volumes }
const inPlace: Partial<Machines> = { volumesOf: async () => volumes }
const none: Partial<Machines> = { restoring: async () => undefined }

const alike = { instancetype: true, preference: true }
const then =
  (claims: Record<string, string>): Machines['sizeIn'] =>
  async () => ({ ...alike, claims })
const ofClass =
  (storageClassName: string): Machines['claims'] =>
  async (_, __, names) =>
    names.map((name) => ({ metadata: { name, uid: 'u' }, spec: { storageClassName } }))
const ofPods =
  (waiting: string): Machines['waitsForPod'] =>
  async (_, name) =>
    name === waiting

async function furnished(lifecycle: LifecycleName, there: Partial<Machines>, definition: Definition = server) {
  const run = changing(lifecycle, lifecycle === 'restore' ? { snapshot: 'clean' } : {}, 'locate')
  const fleet = await fleetHaving(definition)
  const machines = { ...machinesShowing(), ...there }
  const sources = { machines, goldenImages: { version: async () => undefined }, tree: await fleet.head() }
  return furnish(run, definition, succeeded('Found'), sources)
}

describe('a machine that is to be restored', () => {
  it.each<[string, Partial<Machines>, Definition, object]>([
    ['in place, where the cluster can', { ...inPlace, sizeIn: then({}) }, server, { restoring: 'in place' }],
    [
      'on new disks, from the volumes of the snapshot, where it cannot',
      older,
      server,
      { restoring: 'new disks', restoredFrom: { snapshot: 'db-01-clean', volumes } },
    ],
    [
      'in place, where it had its size from an instance type then as it has now',
      { ...inPlace, sizeIn: async () => ({ instancetype: true, preference: false, claims: {} }) },
      { ...server, size: { instancetype: 'u1.small' } },
      { restoring: 'in place' },
    ],
    [
      'on new disks, where it had its size from an instance type then, and has one of its own now',
      { ...inPlace, sizeIn: async () => ({ instancetype: true, preference: false, claims: {} }) },
      { ...server, size: { cores: 2, memory: '4Gi' } },
      { restoring: 'new disks', restoredFrom: { snapshot: 'db-01-clean', volumes } },
    ],
    [
      'on new disks, where a disk has grown since, and its storage binds a claim once a pod uses it',
      {
        ...inPlace,
        sizeIn: then({ 'data-data': '50Gi' }),
        claims: ofClass('local'),
        waitsForPod: ofPods('local'),
      },
      server,
      { restoring: 'new disks', restoredFrom: { snapshot: 'db-01-clean', volumes } },
    ],
    [
      'in place, where it is off, a disk has grown since, and its storage binds a claim at once',
      {
        ...inPlace,
        sizeIn: then({ 'data-data': '50Gi' }),
        claims: ofClass('ceph'),
        waitsForPod: ofPods('local'),
      },
      { ...server, running: false },
      { restoring: 'in place' },
    ],
    [
      'in place on such storage, where none has grown since: a claim may be larger than its disk',
      {
        ...{ ...inPlace, claims: ofClass('local'), waitsForPod: ofPods('local') },
        sizeIn: then({ rootdisk: '600Gi', 'data-data': '600Gi', 'data-wal': '600Gi' }),
      },
      { ...server, running: false },
      { restoring: 'in place' },
    ],
    [
      'on new disks, where an undo has put a new root disk in the place of the one that the snapshot is of',
      inPlace,
      { ...server, rootDisk: { ...server.rootDisk, name: 'db-01-root-x' }, oldRoots: [root] },
      { restoring: 'new disks' },
    ],
    [
      'on new disks, where it had a size of its own then',
      { ...inPlace, sizeIn: async () => ({ instancetype: false, preference: false, claims: {} }) },
      { ...server, size: { instancetype: 'u1.small' } },
      { restoring: 'new disks' },
    ],
    [
      'on new disks, where it had a preference then',
      { ...inPlace, sizeIn: then({}) },
      { ...server, size: { instancetype: 'u1.small' } },
      { restoring: 'new disks' },
    ],
    [
      'on new disks once more, whose old root disk the snapshot is of',
      older,
      { ...server, rootDisk: { ...server.rootDisk, name: 'db-01-root-x' }, oldRoots: [root] },
      { restoring: 'new disks' },
    ],
  ])('is put back %s', async (_, there, definition, facts) => {
    expect(await furnished('restore', there, definition)).toMatchObject({ kind: 'succeeded', facts })
  })

  it.each<[sentence: string, there: Partial<Machines>, definition: Definition]>([
    ['wanted KubeVirt 1.4 or newer there, with snapshots turned on', none, server],
    ['wanted one that db-01 has: it has none', {}, databaseServer()],
    ['wanted one of its own disks', {}, { ...server, disks: [] }],
    [
      'wanted one of its own disks, or a clone',
      {},
      { ...server, rootDisk: { ...server.rootDisk, name: 'db-01-root-x' } },
    ],
    [
      'VirtualMachineSnapshot "db-01-clean" cannot be used: it is not there any more, or not ready',
      { ...inPlace, sizeIn: async () => undefined },
      server,
    ],
    [
      'its snapshot "db-01-clean" has no "data-wal" that can be used',
      { sizeIn: then({}), volumesOf: async () => without('data-wal') },
      server,
    ],
    [
      '"data" has grown since, and can do so again only once it starts: wanted a machine that runs',
      {
        ...inPlace,
        sizeIn: then({ 'data-data': '50Gi' }),
        claims: ofClass('local'),
        waitsForPod: ofPods('local'),
      },
      { ...server, running: false },
    ],
    ['its snapshot "db-01-clean" has no "data-wal"', { ...older, volumesOf: async () => without('data-wal') }, server],
    ['its snapshot "db-01-clean" has no "rootdisk"', { ...older, volumesOf: async () => ({}) }, server],
    ['snapshot "db-01-clean" is of "data-data" and "data-wal" too', older, { ...server, disks: [] }],
    [
      'is of another root disk',
      older,
      { ...server, image: another, rootDisk: { ...server.rootDisk, name: 'new' }, oldRoots: [root] },
    ],
    ['is of another root disk', older, { ...server, rootDisk: { ...server.rootDisk, name: 'db-01-root-new' } }],
  ])('is refused before it is turned off: %s', async (sentence, there, definition) => {
    expect(await furnished('restore', there, definition)).toEqual({
      kind: 'refused',
      message: expect.stringMatching(/^Cannot do the restore of shop\/db-01 on site-a: /),
      facts: {},
    } satisfies Outcome)
    expect(await furnished('restore', there, definition)).toMatchObject({ message: expect.stringContaining(sentence) })
  })
})

describe('a machine that is to be patched', () => {
  it.each<[string, Partial<Machines>, object]>([
    ['in place', {}, { restoring: 'in place', volumeMode: 'Filesystem' }],
    ['on a new disk', older, { restoring: 'new disks' }],
  ])('is told to be put back %s where that fails', async (_, there, facts) => {
    expect(await furnished('patch', there)).toMatchObject({ kind: 'succeeded', facts })
  })

  it('is refused where it could not be put back', async () => {
    expect(await furnished('patch', none)).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('without which a disk cannot be put back: wanted KubeVirt 1.4 or newer'),
    })
  })

  it.each(['power', 'resize', 'snapshot'] as const)('and one for a %s is not asked how', async (lifecycle) => {
    const restoring = () => expect.fail('nothing of it is put back')
    expect(await furnished(lifecycle, { restoring })).toEqual(succeeded('Found'))
  })
})

describe('a machine that is to be repaved', () => {
  const golden = { dataSource: 'rhel10', namespace: 'golden' }
  const versions: Pick<GoldenImages, 'version'> = {
    version: async (...where) => (where.join('/') === 'site-a/golden/rhel10' ? 'pvc golden/rhel10-1' : undefined),
  }
  const repaved = async (said: object, files: Record<string, string | null> = {}, goldenImages = versions) => {
    const fleet = await fleetHaving(server)
    fleet.put(files)
    const sources = { machines: machinesShowing(), goldenImages, tree: await fleet.head() }
    const run = changing('repave', said, 'locate')
    return furnish(run, server, succeeded('Found'), sources)
  }
  const registry = { registry: `docker://registry.example.com/x@sha256:${'a'.repeat(64)}` }

  it.each<[string, object, object]>([
    ['a golden image, and what that stands for', golden, { nextImage: golden, imageVersion: 'pvc golden/rhel10-1' }],
    ['one of a registry, which is pinned', registry, { nextImage: registry }],
  ])('gets %s', async (_, image, facts) => {
    expect(await repaved({ image })).toEqual({ kind: 'succeeded', message: 'Found', facts })
  })

  it('gets the image of its template as that is now', async () => {
    const template = templateFile(server.template)
    const now = parseYaml(starterFiles()[template] ?? '') as object
    expect(await repaved({}, { [template]: toYaml({ ...now, image: golden }) })).toMatchObject({
      facts: { nextImage: golden, imageVersion: 'pvc golden/rhel10-1' },
    })
  })

  it.each<[sentence: string, said: object, files: Record<string, string | null>]>([
    [
      'template "linux-small" is gone, wanted image to say what to repave from',
      {},
      { [templateFile('linux-small')]: null },
    ],
    ['DataSource other/rhel10 stands for no disk there', { image: { ...golden, namespace: 'other' } }, {}],
    [`${templateFile('linux-small')}: `, {}, { [templateFile('linux-small')]: 'size: 7\n' }],
  ])('is refused before it is turned off: %s', async (sentence, said, files) => {
    const outcome = await repaved(said, files)
    expect(outcome.kind).toBe('refused')
    expect(outcome.message.startsWith(`Cannot do the repave of shop/db-01 on site-a: ${sentence}`)).toBe(true)
  })
})

describe('a snapshot of other data disks than the machine has', () => {
  it('is offered neither a restore nor a clone', async () => {
    const { message } = await furnished('restore', {}, { ...server, disks: [] })
    expect(message).toMatch(/wanted one of its own disks$/)
  })
})

describe('a machine that another is made from', () => {
  const origin = { name: 'db-01', snapshot: 'clean', owner: server.owner, volumes: {} }
  const cloned = async (found: Outcome, there: Partial<Machines> = older, definition = server) => {
    const run = changing('clone', { snapshot: 'clean', as: { name: 'db-02' } }, 'locate')
    const sources = {
      machines: { ...machinesShowing(), sizeIn: then({}), ...there },
      goldenImages: { version: async () => undefined },
      tree: await (await fleetHaving(definition)).head(),
    }
    return furnish(run, definition, found, sources)
  }

  it('lends the volumes of its snapshot', async () => {
    const asked: string[] = []
    const volumesOf: Machines['volumesOf'] = async (...where) => {
      asked.push(where.join('/'))
      return volumes
    }
    expect(await cloned(succeeded('Found', { origin }), { volumesOf })).toEqual({
      kind: 'succeeded',
      message: 'Found',
      facts: { origin: { ...origin, volumes } },
    })
    expect(asked).toEqual(['site-a/shop/db-01-clean'])
  })

  it('lends the sizes of what has grown since: the disks of another are as large as they were then', async () => {
    const sizeIn = then({ rootdisk: '32Gi', 'data-data': '50Gi', 'data-wal': '5681173461' })
    // On a file system a claim is larger than its disk, and says bytes; a definition says whole Mi.
    expect(await cloned(succeeded('Found', { origin }), { ...older, sizeIn })).toMatchObject({
      facts: { origin: { volumes, sizes: { 'data-data': '50Gi', 'data-wal': '5418Mi' } } },
    })
  })

  it.each<[string, Partial<Machines>, Definition]>([
    ['has not all of its disks', { volumesOf: async () => without('data-wal') }, server],
    ['there is not', {}, databaseServer()],
  ])('is refused where its snapshot %s', async (_, there, definition) => {
    expect(await cloned(succeeded('Found', { origin }), there, definition)).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('Cannot do the clone of shop/db-01 on site-a: its snapshot "clean" has no'),
    })
  })

  it('is refused where its snapshot has a disk that the machine has let go of: nobody would miss it in the new one', async () => {
    const fewer = { ...server, disks: server.disks.slice(0, 1) }
    expect(await cloned(succeeded('Found', { origin }), older, fewer)).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('is of "data-wal" too, which the machine does not have by now'),
    })
  })

  it('is made without what KubeVirt itself puts beside the disks of a machine', async () => {
    const volumesOf = async () => ({ ...volumes, 'persistent-state-for-db-01': 'vs-tpm' })
    expect(await cloned(succeeded('Found', { origin }), { volumesOf })).toMatchObject({ kind: 'succeeded' })
  })

  it('is refused where its snapshot is gone by now', async () => {
    const gone = { ...older, sizeIn: async () => undefined }
    expect(await cloned(succeeded('Found', { origin }), gone)).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('VirtualMachineSnapshot "clean" cannot be used: it is not there any more'),
    })
  })

  it('has nothing to lend where it was not found', async () => {
    expect(await cloned({ kind: 'notYet', message: 'Not yet' })).toEqual({ kind: 'notYet', message: 'Not yet' })
  })
})

describe('the root disk of a machine that is to be patched', () => {
  const claim = (volumeMode?: string): Partial<Machines> => ({
    claims: async (_, __, names) =>
      names.map((name) => ({ metadata: { name, uid: 'u' }, spec: { ...(volumeMode && { volumeMode }) }, status: {} })),
  })

  it.each([
    ['Block', 'Block'],
    ['Filesystem', 'Filesystem'],
    [undefined, 'Filesystem'],
  ])('is mounted as its claim says: %s', async (mode, volumeMode) => {
    expect(await furnished('patch', claim(mode))).toMatchObject({ facts: { volumeMode } })
  })

  it('is refused where it is not there', async () => {
    expect(await furnished('patch', { claims: async () => [] })).toMatchObject({
      kind: 'refused',
      message: `Cannot do the patch of shop/db-01 on site-a: the claim ${disks[0]} of its root disk is not there`,
    })
  })
})

function without(volume: keyof typeof volumes) {
  const { [volume]: _, ...rest } = volumes
  return rest
}
