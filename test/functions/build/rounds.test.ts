import { describe, expect, it } from 'vitest'
import type { LifecycleName } from '../../../shared/lifecycles.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import type { Facts } from '../../../shared/step.ts'
import { databaseServer, linuxServer } from '../../shared/kubevirt/definitions.ts'
import { edited, type Round } from './edited.ts'

const server = databaseServer()
const off = databaseServer({ running: false })
const claims = ['db-01-root-71f75f7d', 'db-01-data-data-4f3104', 'db-01-data-wal-4f3104']
const since = '2030-01-01T10:00:00.000Z'
const taken = { name: 'db-01-clean', purpose: 'asked', run: 'r', taken: since, disks: claims } as const
const older = { ...taken, name: 'db-01-older' }
const run = '0123456789abcdef0123'
const registry = (digit: string) => ({ registry: `docker://registry.example.com/rhel9@sha256:${digit.repeat(64)}` })

describe('a machine that is to be stopped', () => {
  it.each<[what: string, lifecycle: LifecycleName, request: object, definition: Definition, running: boolean]>([
    ['is, for a disk that comes', 'resize', { add: [{ name: 'logs', size: '1Gi' }] }, server, false],
    ['is, for a disk that is let go of', 'resize', { detach: ['wal'] }, server, false],
    ['is not, for no disk and no size', 'resize', { add: [], detach: [] }, server, true],
    ['is, to be restarted', 'power', { action: 'restart' }, server, false],
    [
      'is, for the new root disk',
      'repave',
      {},
      { ...server, nextRoot: { name: 'n', image: registry('a'), size: '30Gi' } },
      false,
    ],
    ['is not, where its image is current', 'repave', {}, server, true],
    ['is, to be restored', 'restore', { snapshot: 'clean' }, server, false],
    ['is, to be taken away', 'deprovision', {}, server, false],
  ])('%s', async (_, lifecycle, request, definition, running) => {
    expect(await edited('stop', definition, lifecycle, request)).toEqual({ ...definition, running })
  })

  it('loses what keeps a data disk only where the request names it, and says every name that is none', async () => {
    const destroyed = await edited('stop', server, 'deprovision', { destroy: ['wal'] })
    expect(destroyed).toEqual({
      ...off,
      disks: [server.disks[0], { name: 'wal', size: '50Gi', destroyed: true }],
    })
    expect(await edited('stop', server, 'deprovision', { destroy: ['data', 'logs', 'tmp'] })).toEqual({
      problems: [
        'destroy names "logs", which is no data disk of db-01',
        'destroy names "tmp", which is no data disk of db-01',
      ],
    })
  })
})

describe('a machine that is to be started', () => {
  const patch = {
    ...{ name: 'db-01-patch', image: 'x', volumeMode: 'Filesystem' as const, customization: { update: true } },
    deadlineSeconds: 60,
  }
  const done = { ...off, patch, restore: { name: 'db-01-restore', snapshot: 'db-01-clean' } }

  it.each<[what: string, lifecycle: LifecycleName, request: object, facts: Facts, running: boolean]>([
    ['is, where it was on before, without what was done to it', 'patch', {}, { wasRunning: true }, true],
    ['is not, where it was off before', 'restore', {}, { wasRunning: false }, false],
    ['is, to be restarted, also where it was off', 'power', { action: 'restart' }, { wasRunning: false }, true],
  ])('%s', async (_, lifecycle, request, facts, running) => {
    expect(await edited('start', done, lifecycle, request, facts)).toEqual({ ...off, running })
  })

  const until = '2030-01-04T10:00:00.000Z'
  const source = {
    name: 'db-01-clean',
    purpose: 'asked',
    run: 'r',
    disks: [] as string[],
    taken: '2030-01-01T00:00:00.000Z',
  } as const
  const another = { ...source, name: 'db-01-other', until }
  it.each<[string, facts: Facts, snapshots: object[]]>([
    ['has no end where disks are filled from it when the machine starts', { unfilled: ['x'] }, [source, another]],
    ['ends as it was to where all disks are filled', {}, [{ ...source, until }, another]],
    [
      'has no end either where it starts now, and may not come up',
      { unfilled: ['x'], wasRunning: true },
      [source, another],
    ],
  ])('the snapshot that it was put back to %s', async (_, facts, snapshots) => {
    const put = { ...done, snapshots: [{ ...source, until }, another] }
    expect(await edited('start', put, 'restore', {}, facts)).toMatchObject({ snapshots })
  })
})

describe('a machine that is turned on after it was repaved while it was off', () => {
  const old = { name: 'web-01-root-0', image: registry('c'), size: '30Gi' }
  const oldRoots = [old, { ...old, name: 'web-01-root-1', until: '2030-01-02T10:00:00.000Z' }]
  const off = linuxServer({ running: false, oldRoots })

  it('keeps the root disk from before for a week from then on', async () => {
    expect(await edited('start', off, 'power', { action: 'start' })).toEqual({
      ...off,
      running: true,
      oldRoots: [{ ...old, until: '2030-01-08T10:00:00.000Z' }, oldRoots[1]],
    })
  })

  it('and without an end while it stays off', async () => {
    expect(await edited('start', off, 'power', { action: 'stop' })).toEqual(off)
  })
})

describe('a snapshot', () => {
  it.each<[what: string, round: Round, lifecycle: LifecycleName, request: object, snapshot: object]>([
    [
      'to go back to is kept as long as the request says',
      'save',
      'patch',
      { keepDays: 2 },
      { name: 'db-01-undo-01234567', purpose: 'undo', until: '2030-01-03T10:00:00.000Z' },
    ],
    [
      'before a restore is one to go back to',
      'save',
      'restore',
      { snapshot: 'clean' },
      { name: 'db-01-undo-01234567', purpose: 'undo', until: '2030-01-08T10:00:00.000Z' },
    ],
    [
      'of a machine that goes is kept for good',
      'save',
      'deprovision',
      { finalSnapshot: true, keepDays: 2 },
      { name: 'db-01-final-01234567', purpose: 'final' },
    ],
    [
      'that is asked for is kept for good, under its name',
      'snapshot',
      'snapshot',
      { snapshot: 'new' },
      { name: 'db-01-new', purpose: 'asked' },
    ],
    [
      'that nobody has named is named after its run, and kept as long as is said',
      'snapshot',
      'snapshot',
      { action: 'take', keepDays: 3 },
      { name: 'db-01-01234567', purpose: 'asked', until: '2030-01-04T10:00:00.000Z' },
    ],
  ])('%s, beside those that there are', async (_, round, lifecycle, request, snapshot) => {
    const definition = databaseServer({ snapshots: [taken] })
    expect(await edited(round, definition, lifecycle, request)).toEqual({
      ...definition,
      snapshots: [taken, { ...snapshot, run, disks: claims, taken: since }],
    })
  })

  it('is taken before a repave where the root disk is going to change', async () => {
    const definition = { ...server, nextRoot: { name: 'n', image: registry('a'), size: '30Gi' } }
    expect(await edited('save', definition, 'repave')).toMatchObject({
      snapshots: [{ name: 'db-01-undo-01234567', purpose: 'undo' }],
    })
  })

  it('is let go of alone, by the name of its request or by its own', async () => {
    const definition = databaseServer({ snapshots: [taken, older] })
    for (const snapshot of ['clean', 'db-01-clean'])
      expect(await edited('snapshot', definition, 'snapshot', { action: 'expire', snapshot })).toEqual({
        ...definition,
        snapshots: [older],
      })
  })

  it.each<[string, object, string]>([
    [
      'a name that is taken',
      { snapshot: 'clean' },
      'snapshot is "clean", wanted a name that no snapshot of db-01 has yet',
    ],
    [
      'one that there is not',
      { action: 'expire', snapshot: 'dirty' },
      'snapshot is "dirty", wanted one that db-01 has: "clean" and "older"',
    ],
  ])('is refused for %s', async (_, request, problem) => {
    const definition = databaseServer({ snapshots: [taken, older] })
    expect(await edited('snapshot', definition, 'snapshot', request)).toEqual({ problems: [problem] })
  })
})

describe('a restore in place', () => {
  it('pins the machine to its disks', async () => {
    const definition = databaseServer({ snapshots: [older, taken] })
    expect(await edited('restore', definition, 'restore', { snapshot: 'clean' })).toEqual({
      ...definition,
      pinned: true,
      restore: { name: 'db-01-restore-01234567', snapshot: 'db-01-clean' },
    })
  })

  it('is refused in one sentence where there is no such snapshot', async () => {
    expect(await edited('restore', server, 'restore', { snapshot: 'clean' })).toEqual({
      problems: ['snapshot is "clean", wanted one that db-01 has: it has none'],
    })
  })
})

describe('a restore to new disks', () => {
  it('keeps the old root disk for a week where the request says no time', async () => {
    const volumes = { rootdisk: 'vs-root', 'data-data': 'vs-data', 'data-wal': 'vs-wal' }
    const facts: Facts = { restoring: 'new disks', restoredFrom: { snapshot: 'db-01-clean', volumes } }
    const made = await edited('restore', databaseServer({ snapshots: [taken] }), 'restore', {}, facts)
    expect(made).toMatchObject({ oldRoots: [{ name: claims[0], until: '2030-01-08T10:00:00.000Z' }] })
  })
})

describe('a patch', () => {
  it.each<[string, Facts, string, object]>([
    [
      'on a claim that is mounted as it is, in the time that the run has',
      { volumeMode: 'Block' },
      '2030-01-01T10:30:59.900Z',
      { volumeMode: 'Block', deadlineSeconds: 1859 },
    ],
    ['in a minute at least', {}, '2030-01-01T10:00:05.000Z', { volumeMode: 'Filesystem', deadlineSeconds: 60 }],
  ])('is a Job %s', async (_, facts, deadline, rest) => {
    const request = { customization: { timezone: 'UTC' } }
    expect(await edited('patch', off, 'patch', request, facts, {}, { deadline })).toEqual({
      ...off,
      patch: { name: 'db-01-patch-01234567', image: 'tools:1', customization: { timezone: 'UTC' }, ...rest },
    })
  })

  it.each<[string, string]>([
    ['customizationName is "nothing", wanted a file of customizations/', 'nothing'],
    ['customizations/plain.yaml says nothing of disks, wanted its field "disk"', 'plain'],
  ])('is refused: %s', async (problem, customizationName) => {
    expect(await edited('patch', off, 'patch', { customizationName })).toEqual({ problems: [problem] })
  })

  it('is refused where its customization cannot be read', async () => {
    const files = { 'customizations/odd.yaml': 'description: 3\nguest: linux\n' }
    expect(await edited('patch', off, 'patch', { customizationName: 'odd' }, {}, files)).toEqual({
      problems: [expect.stringMatching(/^customizations\/odd.yaml: description is 3/)],
    })
  })
})

describe('a migration', () => {
  it('moves the machine and changes nothing else, and one that is off is refused', async () => {
    expect(await edited('migrate', server, 'migrate')).toEqual({
      ...server,
      migration: { name: 'db-01-move-01234567' },
    })
    expect(await edited('migrate', off, 'migrate')).toEqual({
      problems: ['db-01 is off, wanted a machine that runs'],
    })
  })
})

describe('a resize', () => {
  const [data, wal] = server.disks

  it.each<[what: string, of: Definition, request: object, change: Partial<Definition>]>([
    [
      'grows each disk that is named, and no other',
      server,
      { grow: { root: '40Gi', wal: '60Gi' } },
      {
        rootDisk: { size: '40Gi', made: '30Gi' },
        disks: [
          { name: 'data', ...data, size: '200Gi' },
          { name: 'wal', size: '60Gi', made: '50Gi' },
        ],
      },
    ],
    [
      'keeps the size that a disk was made with, however often it grows',
      databaseServer({ rootDisk: { size: '40Gi', made: '30Gi' } }),
      { grow: { root: '50Gi' } },
      { rootDisk: { size: '50Gi', made: '30Gi' } },
    ],
    ['leaves a disk alone that has its size', server, { grow: { root: '30Gi', data: '200Gi' } }, {}],
    [
      'adds a disk under a claim of the run’s, and lets go of those that are named',
      server,
      { add: [{ name: 'logs', size: '1Gi', storageClass: 'fast' }], detach: ['data'] },
      {
        disks: [
          { name: 'wal', ...wal, size: '50Gi' },
          { name: 'logs', size: '1Gi', storageClass: 'fast', claim: 'db-01-data-logs-012345' },
        ],
      },
    ],
    [
      'takes the preference that another size says',
      server,
      { size: { instancetype: 'u1.large', preference: 'rhel.10' } },
      { size: { instancetype: 'u1.large', preference: 'rhel.10' } },
    ],
    [
      'invents no preference',
      databaseServer({ size: { cores: 2, memory: '4Gi' } }),
      { size: { cores: 4, memory: '8Gi' } },
      { size: { cores: 4, memory: '8Gi' } },
    ],
    ['changes nothing where nothing is asked for', server, {}, {}],
  ])('%s', async (_, of, request, change) => {
    expect(await edited('resize', of, 'resize', request)).toEqual({ ...of, ...change })
  })

  it('says all that is wrong with it at once', async () => {
    const request = {
      grow: { logs: '1Gi', data: '100Gi', root: '1Gi' },
      detach: ['tmp'],
      add: [{ name: 'wal', size: '1Gi' }],
    }
    expect(await edited('resize', server, 'resize', request)).toEqual({
      problems: [
        'grow names "logs", wanted a disk that there is: "root", "data" and "wal"',
        'detach names "tmp", wanted a data disk that there is: "data" and "wal"',
        'add has "wal", which is there already',
        'grow.data is "100Gi", wanted more than "200Gi": a disk never shrinks',
        'grow.root is "1Gi", wanted more than "30Gi": a disk never shrinks',
      ],
    })
  })

  it('has no disk of one name twice', async () => {
    const add = [1, 2].map((size) => ({ name: 'logs', size: `${size}Gi` }))
    expect(await edited('resize', server, 'resize', { add })).toEqual({
      problems: ['add has "logs", which is there already'],
    })
  })
})

describe('a repave', () => {
  const nextRoot = { name: 'web-01-root-next', image: registry('a'), size: '30Gi', until: 'x' }

  it.each<[what: string, of: Definition, facts: Facts, root: object]>([
    [
      'from a registry, which is pinned: what a DataSource stands for is none of its business',
      linuxServer({ rootDisk: { size: '40Gi', storageClass: 'fast' } }),
      { nextImage: registry('a'), imageVersion: 'pvc golden/rhel9-1' },
      { image: registry('a'), size: '40Gi', storageClass: 'fast' },
    ],
    [
      'from what a DataSource stands for',
      linuxServer(),
      { nextImage: { dataSource: 'rhel10', namespace: 'golden' }, imageVersion: 'pvc golden/rhel10-1' },
      { image: { dataSource: 'rhel10', namespace: 'golden' }, size: '30Gi', version: 'pvc golden/rhel10-1' },
    ],
  ])('makes the root disk anew %s', async (_, of, facts, root) => {
    expect(await edited('image', of, 'repave', {}, facts)).toEqual({
      ...of,
      nextRoot: { ...root, name: expect.stringMatching(/^web-01-root-[0-9a-f]{8}$/) },
    })
  })

  it('names the new root disk after its image, what that stands for, and the run', async () => {
    const names = new Set<string | undefined>()
    for (const [digit, version, id] of [
      ['a', 'v1', run],
      ['b', 'v1', run],
      ['a', 'v1', 'ffffffffffffffffffff'],
    ] as const) {
      const facts = { nextImage: registry(digit), imageVersion: version }
      const made = (await edited('image', linuxServer(), 'repave', {}, facts, {}, { id })) as Definition
      names.add(made.nextRoot?.name)
    }
    expect(names.size).toBe(3)
  })

  it('is no event of ours where nobody has found an image', async () => {
    await expect(edited('image', server, 'repave')).rejects.toMatchObject({
      reason: 'unreadable',
      message: `Cannot build: run ${run} has found no image`,
    })
  })

  it.each<[string, Facts, boolean]>([
    ['on again where it was on', { wasRunning: true }, true],
    ['off where it was off', { wasRunning: false }, false],
  ])(
    'swaps the root disks, keeps the old one for a week once it runs, beside older ones, and leaves the machine %s',
    async (_, facts, running) => {
      const before = { name: 'web-01-root-0', image: registry('c'), size: '30Gi', until: '2030-01-02T10:00:00.000Z' }
      const of = linuxServer({ running: !running, nextRoot, oldRoots: [before] })
      const { nextRoot: __, ...rest } = of
      expect(await edited('swap', of, 'repave', {}, facts)).toEqual({
        ...rest,
        image: registry('a'),
        rootDisk: { name: 'web-01-root-next', size: '30Gi' },
        oldRoots: [
          before,
          {
            ...{ name: 'web-01-root-71f75f7d', image: of.image, size: '30Gi' },
            ...(running && { until: '2030-01-08T10:00:00.000Z' }),
          },
        ],
        running,
      })
    },
  )

  it('swaps nothing where the image was current', async () => {
    expect(await edited('swap', server, 'repave', {}, { wasRunning: false })).toEqual(server)
  })
})
