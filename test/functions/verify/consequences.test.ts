import { describe, expect, it } from 'vitest'
import { consequences } from '../../../functions/verify/consequences.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import type { Run } from '../../../shared/step.ts'
import { runOf } from '../../examples/starter.ts'
import { databaseServer } from '../../shared/kubevirt/definitions.ts'

const { id } = runOf()
const disks: Definition['disks'] = [
  { name: 'data', size: '300Gi', made: '200Gi' },
  { name: 'logs', size: '5Gi', claim: `db-01-data-logs-${id.slice(0, 6)}` },
]
const snapshot = { name: 'db-01-x', purpose: 'undo' as const, run: id, disks: [], taken: 'x' }

describe('a plan says what follows', () => {
  it.each<[lifecycle: Run['lifecycle'], task: string, definition: Partial<Definition>, facts: object, says: string[]]>([
    ['power', 'stop.verify', { running: false }, { wasRunning: true }, ['the machine is turned off']],
    ['patch', 'save.verify', { snapshots: [snapshot] }, {}, ['snapshot db-01-x is taken to go back to']],
    [
      'deprovision',
      'save.verify',
      { snapshots: [{ ...snapshot, purpose: 'final' as const }] },
      {},
      ['snapshot db-01-x is taken, and stays when the machine is gone'],
    ],
    [
      'resize',
      'resize.verify',
      { size: { cores: 4, memory: '8Gi' }, disks },
      {},
      ['the machine has 4 cores and 8Gi', 'disk data is of 300Gi: none shrinks again', 'disk logs is new'],
    ],
    [
      'deprovision',
      'remove.verify',
      {
        disks: [
          { name: 'data', size: '1Gi' },
          { name: 'tmp', size: '1Gi', destroyed: true },
        ],
      },
      {},
      [
        'the machine and its root disk are lost',
        'kept: db-01-data-data-4f3104',
        'destroyed, with what is on them: db-01-data-tmp-4f3104',
      ],
    ],
    ['migrate', 'migrate.verify', { migration: { name: 'x' } }, {}, ['the guest moves to another node while it runs']],
  ])('%s at %s', (lifecycle, task, definition, facts, says) => {
    const run = runOf({
      lifecycle,
      task,
      facts: { definition: databaseServer(definition), report: ['before'], ...facts },
    })
    expect(consequences(run)).toEqual({ report: ['before', ...says] })
  })
})

describe('a plan says what each round means', () => {
  const kept = { name: 'db-01-root-old', image: databaseServer().image, size: '30Gi', until: '2030-01-08' }
  const older = { ...kept, name: 'db-01-root-older', until: '2030-01-02' }
  const another = { ...snapshot, name: 'db-01-y', run: 'ffffffffffffffffffff' }
  const patch = {
    ...{ name: 'db-01-patch', image: 'x', volumeMode: 'Filesystem' as const, customization: { update: true } },
    deadlineSeconds: 60,
  }
  const from = { snapshot: 'db-01-x', volumes: {} }

  it.each<
    [lifecycle: Run['lifecycle'], task: string, definition: Partial<Definition>, facts: Run['facts'], says: string[]]
  >([
    ['power', 'stop.verify', { running: false }, { wasRunning: false }, []],
    ['power', 'stop.verify', { running: true }, { wasRunning: true }, []],
    ['power', 'start.verify', { running: true }, { wasRunning: false }, ['the machine is turned on']],
    ['power', 'start.verify', { running: false }, { wasRunning: false }, []],
    ['power', 'start.verify', { running: true }, {}, []],
    ['snapshot', 'snapshot.verify', { snapshots: [another, snapshot] }, {}, ['snapshot db-01-x is taken']],
    ['snapshot', 'snapshot.verify', {}, {}, []],
    ['patch', 'save.verify', { snapshots: [another, snapshot] }, {}, ['snapshot db-01-x is taken to go back to']],
    ['deprovision', 'save.verify', {}, {}, []],
    [
      'restore',
      'restore.verify',
      { restore: { name: 'db-01-restore', snapshot: 'db-01-x' } },
      {},
      ['all disks are put back to db-01-x: what was written since is lost, but for the snapshot before'],
    ],
    [
      'restore',
      'restore.verify',
      { oldRoots: [older, kept] },
      { restoredFrom: from },
      [
        'all disks are made anew from db-01-x, for KubeVirt there does not restore in place; the data disks from before are kept',
        'the old root disk db-01-root-old is kept until 2030-01-08, and not used',
      ],
    ],
    [
      'patch',
      'patch.verify',
      { patch },
      { restoring: 'in place' },
      ['the root disk is changed while the machine is off'],
    ],
    [
      'patch',
      'patch.verify',
      { patch },
      { restoring: 'new disks' },
      [
        'the root disk is changed while the machine is off',
        'where that fails a new root disk takes its place, for KubeVirt there does not restore in place',
      ],
    ],
    [
      'repave',
      'image.verify',
      { nextRoot: { name: 'db-01-root-new', image: kept.image, size: '30Gi' } },
      {},
      ['root disk db-01-root-new is made from the latest image'],
    ],
    ['repave', 'image.verify', {}, {}, ['the image is current: nothing is to be done']],
    [
      'repave',
      'swap.verify',
      { oldRoots: [older, kept], running: true },
      { wasRunning: true },
      [
        'the old root disk db-01-root-older is kept until 2030-01-02, and not used',
        'the old root disk db-01-root-old is kept until 2030-01-08, and not used',
        'the machine is turned on',
      ],
    ],
    ['repave', 'swap.verify', { running: false }, { wasRunning: false }, []],
    ['patch', 'patch.verify', {}, { restoring: 'new disks' }, []],
    ['migrate', 'migrate.verify', {}, {}, []],
    ['resize', 'resize.verify', { size: { instancetype: 'u1.large' } }, {}, ['the machine has instance type u1.large']],
    [
      'resize',
      'resize.verify',
      { size: { instancetype: 'u1.large' }, rootDisk: { size: '40Gi', made: '30Gi' } },
      {},
      ['the machine has instance type u1.large', 'disk root is of 40Gi: none shrinks again'],
    ],
    ['deprovision', 'remove.verify', { disks: [] }, {}, ['the machine and its root disk are lost']],
    ['provision', 'create.verify', {}, {}, []],
    ['power', 'locate', {}, { wasRunning: true }, []],
  ])('of %s at %s: %#', (lifecycle, task, definition, facts, says) => {
    const run = runOf({ lifecycle, task, facts: { definition: databaseServer(definition), ...facts } })
    expect(consequences(run)).toEqual({ report: says })
  })

  it('and nothing of a machine that nobody has defined', () => {
    expect(consequences(runOf({ lifecycle: 'power', task: 'stop.verify' }))).toEqual({ report: [] })
  })
})
