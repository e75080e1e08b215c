import { describe, expect, it } from 'vitest'
import { dataClaims } from '../../../shared/kubevirt/manifest.ts'
import type { LifecycleName } from '../../../shared/lifecycles.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import type { Facts } from '../../../shared/step.ts'
import { databaseServer, linuxServer } from '../../shared/kubevirt/definitions.ts'
import { edited, type Round } from './edited.ts'

const server = databaseServer()
const off = databaseServer({ running: false })
const image = { registry: `docker://registry.example.com/rhel9@sha256:${'b'.repeat(64)}` }
const taken = { name: 'db-01-clean', purpose: 'asked', run: 'r', taken: '2030-01-01T00:00:00.000Z' } as const
const claims = ['db-01-root-71f75f7d', 'db-01-data-data-4f3104', 'db-01-data-wal-4f3104']
const withSnapshot = databaseServer({ snapshots: [{ ...taken, disks: claims }] })

describe('an edit', () => {
  it.each<[what: string, round: Round, of: Definition, lifecycle: LifecycleName, request: object, becomes: object]>([
    ['turns the machine off to patch it', 'stop', server, 'patch', {}, { running: false }],
    ['turns it on again where it was on', 'start', server, 'patch', {}, { running: true }],
    ['turns it off where that is asked for', 'stop', server, 'power', { action: 'stop' }, { running: false }],
    ['leaves it off then', 'start', off, 'power', { action: 'stop' }, { running: false }],
    ['turns it on where that is asked for', 'start', off, 'power', { action: 'start' }, { running: true }],
    ['does not turn it off to start it', 'stop', server, 'power', { action: 'start' }, { running: true }],
    ['lets it run while a disk grows', 'stop', server, 'resize', { grow: { data: '300Gi' } }, { running: true }],
    [
      'turns it off for another size',
      'stop',
      server,
      'resize',
      { size: { instancetype: 'u1.large' } },
      { running: false },
    ],
    [
      'keeps a disk that this request does not name, whatever one before it has left behind',
      'stop',
      { ...server, disks: server.disks.map((disk) => ({ ...disk, destroyed: true })) },
      'deprovision',
      {},
      { running: false, disks: server.disks },
    ],
    [
      'lets go of a disk that is to be destroyed, and of no other',
      'stop',
      server,
      'deprovision',
      { destroy: ['wal'] },
      {
        disks: [
          { name: 'data', size: '200Gi', storageClass: 'fast' },
          { name: 'wal', size: '50Gi', destroyed: true },
        ],
      },
    ],
    [
      'takes a snapshot to go back to, for a week',
      'save',
      server,
      'patch',
      {},
      {
        snapshots: [{ name: 'db-01-undo-01234567', purpose: 'undo', disks: claims, until: '2030-01-08T10:00:00.000Z' }],
      },
    ],
    [
      'takes a last snapshot that nothing ends',
      'save',
      server,
      'deprovision',
      { finalSnapshot: true },
      {
        snapshots: [{ name: 'db-01-final-01234567', purpose: 'final' }],
      },
    ],
    ['takes none that is not asked for', 'save', server, 'deprovision', {}, server],
    ['takes none where the image is current', 'save', server, 'repave', {}, server],
    [
      'takes a snapshot by name',
      'snapshot',
      server,
      'snapshot',
      { snapshot: 'clean' },
      { snapshots: [{ name: 'db-01-clean' }] },
    ],
    [
      'lets a snapshot go',
      'snapshot',
      withSnapshot,
      'snapshot',
      { action: 'expire', snapshot: 'clean' },
      { snapshots: [] },
    ],
    ['changes nothing to list snapshots', 'snapshot', withSnapshot, 'snapshot', { action: 'list' }, withSnapshot],
    [
      'restores a snapshot of its own disks',
      'restore',
      withSnapshot,
      'restore',
      { snapshot: 'clean' },
      {
        restore: { name: 'db-01-restore-01234567', snapshot: 'db-01-clean' },
      },
    ],
    [
      'grows a disk, and keeps the size that it was made with',
      'resize',
      server,
      'resize',
      { grow: { data: '300Gi' } },
      {
        disks: [
          { name: 'data', size: '300Gi', made: '200Gi' },
          { name: 'wal', size: '50Gi' },
        ],
      },
    ],
    [
      'lets no disk grow to the size that it has, in another unit',
      'resize',
      server,
      'resize',
      { grow: { data: '204800Mi' } },
      { disks: server.disks },
    ],
    [
      'grows the root disk',
      'resize',
      server,
      'resize',
      { grow: { root: '40Gi' } },
      { rootDisk: { size: '40Gi', made: '30Gi' } },
    ],
    [
      'adds a disk and lets go of another',
      'resize',
      server,
      'resize',
      { add: [{ name: 'logs', size: '1Gi' }], detach: ['wal'] },
      {
        disks: [{ name: 'data' }, { name: 'logs', size: '1Gi' }],
      },
    ],
    [
      'keeps the preference where another size says none',
      'resize',
      server,
      'resize',
      { size: { instancetype: 'u1.large' } },
      {
        size: { instancetype: 'u1.large', preference: 'rhel.9' },
      },
    ],
    ['moves a machine that runs', 'migrate', server, 'migrate', {}, { migration: { name: 'db-01-move-01234567' } }],
    [
      'updates all packages where a patch says no more',
      'patch',
      off,
      'patch',
      {},
      {
        patch: { customization: { update: true }, image: 'tools:1', volumeMode: 'Filesystem', deadlineSeconds: 3600 },
      },
    ],
    [
      'patches by a customization of the fleet',
      'patch',
      off,
      'patch',
      { customizationName: 'hardening' },
      {
        patch: { customization: { timezone: 'UTC' } },
      },
    ],
  ])('%s', async (_, round, of, lifecycle, request, becomes) => {
    expect(await edited(round, of, lifecycle, request)).toMatchObject(becomes)
  })

  it.each([
    ['db-01', 'db-01-patch-01234567'],
    ['x'.repeat(48), `${'x'.repeat(48)}-patch-01234567`],
    ['x'.repeat(63), `${'x'.repeat(48)}-patch-01234567`],
  ])('patches %s by a Job whose name fits the label of its pod', async (name, job) => {
    expect(await edited('patch', { ...off, name }, 'patch')).toMatchObject({ patch: { name: job } })
  })

  it.each<[sentence: string, round: Round, of: Definition, lifecycle: LifecycleName, request: object]>([
    ['destroy names "logs", which is no data disk of db-01', 'stop', server, 'deprovision', { destroy: ['logs'] }],
    ['wanted a name that no snapshot of db-01 has yet', 'snapshot', withSnapshot, 'snapshot', { snapshot: 'clean' }],
    ['wanted one that db-01 has: "clean"', 'restore', withSnapshot, 'restore', { snapshot: 'dirty' }],
    ['it has none', 'snapshot', server, 'snapshot', { action: 'expire', snapshot: 'clean' }],
    ['wanted one of its own disks', 'restore', { ...withSnapshot, disks: [] }, 'restore', { snapshot: 'clean' }],
    ['a disk never shrinks', 'resize', server, 'resize', { grow: { data: '100Gi' } }],
    ['wanted a disk that there is: "root", "data" and "wal"', 'resize', server, 'resize', { grow: { logs: '1Gi' } }],
    ['wanted a data disk that there is', 'resize', server, 'resize', { detach: ['logs'] }],
    ['add has "data", which is there already', 'resize', server, 'resize', { add: [{ name: 'data', size: '1Gi' }] }],
    ['db-01 is off, wanted a machine that runs', 'migrate', off, 'migrate', {}],
    ['wanted a file of customizations/', 'patch', off, 'patch', { customizationName: 'nothing' }],
    ['wanted its field "disk"', 'patch', off, 'patch', { customizationName: 'plain' }],
  ])('refuses with "%s"', async (sentence, round, of, lifecycle, request) => {
    expect(await edited(round, of, lifecycle, request)).toEqual({ problems: [expect.stringContaining(sentence)] })
  })
})

describe('a repave', () => {
  it('makes the new root disk beside the old one, and then runs from it and keeps the old one', async () => {
    const made = await edited('image', server, 'repave', {}, { nextImage: image })
    expect(made).toMatchObject({ nextRoot: { image, size: '30Gi' }, image: server.image, running: true })
    const next = (made as Definition).nextRoot?.name ?? ''
    const swapped = await edited(
      'swap',
      { ...(made as Definition), running: false },
      'repave',
      { keepDays: 2 },
      { wasRunning: true },
    )
    expect(swapped).toMatchObject({ image, rootDisk: { name: next, size: '30Gi' }, running: true })
    const old = { name: 'db-01-root-71f75f7d', image: server.image, until: '2030-01-03T10:00:00.000Z' }
    expect((swapped as Definition).oldRoots).toMatchObject([old])
    expect(swapped).not.toHaveProperty('nextRoot')
    expect((swapped as Definition).disks).toEqual(server.disks)
  })

  it.each<[what: string, version: string, isCurrent: boolean]>([
    ['the disk that the name stood for', 'pvc golden/rhel9-1', true],
    ['another disk by now', 'pvc golden/rhel9-2', false],
  ])('of an image whose name stands for %s', async (_, imageVersion, isCurrent) => {
    const of = linuxServer({ rootDisk: { size: '30Gi', version: 'pvc golden/rhel9-1' } })
    const made = (await edited('image', of, 'repave', {}, { nextImage: of.image, imageVersion })) as Definition
    expect(made.nextRoot === undefined).toBe(isCurrent)
    if (!isCurrent) expect(made.nextRoot?.name).not.toBe('web-01-root-71f75f7d')
  })

  it('never takes the disk that is kept of an image that it had before', async () => {
    const there = (await edited('image', server, 'repave', {}, { nextImage: image })) as Definition
    const on = (await edited('swap', there, 'repave')) as Definition
    const kept = on.oldRoots?.map(({ name }) => name)
    const back = (await edited('image', on, 'repave', {}, { nextImage: server.image })) as Definition
    expect(kept).toEqual(['db-01-root-71f75f7d'])
    expect(kept).not.toContain(back.nextRoot?.name)
  })
})

describe('a restore to new disks', () => {
  const volumes = { rootdisk: 'vs-root', 'data-data': 'vs-data', 'data-wal': 'vs-wal' }
  const facts = (change: Partial<typeof volumes> = {}) =>
    ({
      restoring: 'new disks',
      restoredFrom: { snapshot: 'db-01-clean', volumes: { ...volumes, ...change } },
    }) as Facts
  const grown = { ...withSnapshot, rootDisk: { size: '40Gi', made: '30Gi' } }

  it('puts them in the place of those in use, and keeps the old root disk', async () => {
    const said = { snapshot: 'clean', keepDays: 2 }
    const restored = async (more: Facts) =>
      (await edited('restore', grown, 'restore', said, { ...facts(), ...more })) as Definition
    const made = await restored({ wasRunning: true })
    const root = { size: '40Gi', made: '30Gi', name: 'db-01-root-01234567', snapshot: 'vs-root' }
    expect(made.rootDisk).toEqual(root)
    expect(made.oldRoots).toEqual([
      { size: '40Gi', made: '30Gi', name: claims[0], image: server.image, until: '2030-01-03T10:00:00.000Z' },
    ])
    expect(made.disks).toEqual([
      {
        name: 'data',
        size: '200Gi',
        storageClass: 'fast',
        claim: 'db-01-data-data-012345',
        snapshot: 'vs-data',
      },
      { name: 'wal', size: '50Gi', claim: 'db-01-data-wal-012345', snapshot: 'vs-wal' },
    ])
    expect(made).not.toHaveProperty('restore')
    // Nothing would fill them otherwise.
    const off = await restored({ wasRunning: false })
    expect(off).toEqual({
      ...made,
      rootDisk: { ...made.rootDisk, atOnce: true },
      disks: made.disks.map((disk) => ({ ...disk, atOnce: true })),
    })
  })

  it.each<[string, Facts, Definition]>([
    ['has no "data-wal" that can be used', facts({ 'data-wal': '' }), withSnapshot],
    ['wanted one that db-01 has', facts(), server],
  ])('refuses with "%s"', async (sentence, known, of) => {
    const made = await edited('restore', of, 'restore', { snapshot: 'clean' }, known)
    expect(made).toEqual({ problems: [expect.stringContaining(sentence)] })
  })

  it('is no event of ours where nobody has found the snapshot', async () => {
    await expect(edited('restore', server, 'restore', {}, { restoring: 'new disks' })).rejects.toThrow(
      'Cannot build: run 0123456789abcdef0123 has found no snapshot',
    )
  })
})

describe('a resize', () => {
  const disk = (index: number) => ({ name: `data-${index}`, size: '1Gi' })
  const limits = '(policy: How large a machine may be)'

  it('never takes the disk that was let go of for one of its name', async () => {
    const less = (await edited('resize', server, 'resize', { detach: ['wal'] })) as Definition
    const more = (await edited('resize', less, 'resize', { add: [{ name: 'wal', size: '1Gi' }] })) as Definition
    expect(dataClaims(more)).toHaveLength(2)
    expect(dataClaims(more)).not.toContain('db-01-data-wal-4f3104')
  })

  it.each<[what: string, has: number, request: object, problems: string[] | undefined]>([
    ['to as many disks as policy lets it have', 7, { add: [disk(8)] }, undefined],
    ['to one more', 8, { add: [disk(9)] }, [`the machine would have 9 data disks, wanted at most 8 ${limits}`]],
    ['to one in the place of another', 8, { detach: ['data-1'], add: [disk(9)] }, undefined],
    ['of a machine that has too many already', 9, { grow: { root: '40Gi' } }, undefined],
  ])('goes %s', async (_, has, request, problems) => {
    const disks = Array.from({ length: has }, (_, index) => disk(index + 1))
    const made = await edited('resize', databaseServer({ disks }), 'resize', request)
    if (problems) expect(made).toEqual({ problems })
    else expect(made).not.toHaveProperty('problems')
  })

  it('adds no disk where a policy cannot be read', async () => {
    const unreadable = { 'policy/limits.yaml': 'rules: 7\n' }
    const made = await edited('resize', server, 'resize', { add: [disk(1)] }, {}, unreadable)
    expect(made).toEqual({
      problems: expect.arrayContaining([expect.stringContaining('policy/limits.yaml: rules is 7')]),
    })
  })
})
