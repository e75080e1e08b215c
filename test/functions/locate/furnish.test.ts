import { describe, expect, it } from 'vitest'
import { furnish } from '../../../functions/locate/furnish.ts'
import type { LifecycleName } from '../../../shared/lifecycles.ts'
import type { Machines } from '../../../shared/machines.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import { type Outcome, succeeded } from '../../../shared/step.ts'
import { databaseServer } from '../../shared/kubevirt/definitions.ts'
import { changing, fleetHaving, machineOf } from '../changes.ts'
import { machinesShowing } from '../machines.ts'

const disks = ['db-01-root-71f75f7d', 'db-01-data-data-4f3104', 'db-01-data-wal-4f3104']
const taken = { name: 'db-01-clean', purpose: 'asked', run: 'r', taken: '2030-01-01T00:00:00.000Z', disks } as const
const server = databaseServer({ snapshots: [taken] })
const volumes = { rootdisk: 'vs-root', 'data-data': 'vs-data', 'data-wal': 'vs-wal' }
const { storageClass: _, ...root } = { ...server.rootDisk, name: disks[0] as string, image: server.image }
const another = { dataSource: 'rhel10', namespace: 'golden' }

const older: Partial<Machines> = { restoring: async () => 'new disks', volumesOf: async () => volumes }
const none: Partial<Machines> = { restoring: async () => undefined }

async function furnished(lifecycle: LifecycleName, there: Partial<Machines>, definition: Definition = server) {
  const run = changing(lifecycle, lifecycle === 'restore' ? { snapshot: 'clean' } : {}, 'locate')
  const fleet = await fleetHaving(definition)
  const machines = { ...machinesShowing(), ...there }
  const sources = { machines, images: { version: async () => undefined }, tree: await fleet.head() }
  return furnish(run, { address: machineOf(definition), definition }, succeeded('Found'), sources)
}

describe('a machine that is to be restored', () => {
  it.each<[string, Partial<Machines>, Definition, object]>([
    ['in place, where the cluster can', {}, server, { restoring: 'in place' }],
    [
      'on new disks, from the volumes of the snapshot, where it cannot',
      older,
      server,
      { restoring: 'new disks', restoredFrom: { snapshot: 'db-01-clean', volumes } },
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
    ['wanted one of its own disks, or a clone', {}, { ...server, disks: [] }],
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

function without(volume: keyof typeof volumes) {
  const { [volume]: _, ...rest } = volumes
  return rest
}
