import { describe, expect, it } from 'vitest'
import { aimOf, type Sides, stageAfter } from '../../../functions/recover/stages.ts'
import { allClaims } from '../../../shared/kubevirt/manifest.ts'
import type { RunRecord, Stage } from '../../../shared/ledger.ts'
import type { LifecycleName } from '../../../shared/lifecycles.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import { databaseServer } from '../../shared/kubevirt/definitions.ts'

const run = '0123456789abcdef0123'
const before = databaseServer()
const [data, wal] = before.disks as [Definition['disks'][0], Definition['disks'][0]]

const taken = { run, disks: [], taken: '2030-01-01T00:00:00.000Z' }
const asked = { ...taken, name: 'db-01-clean', run: 'r', purpose: 'asked' } as const
const saved = { ...taken, name: 'db-01-undo-01234567', purpose: 'undo' } as const
const undone = { ...taken, name: 'db-01-undone-01234567', purpose: 'asked', disks: allClaims(before) } as const
const last = { ...taken, name: 'db-01-final-01234567', purpose: 'final' } as const

const recordOf = (lifecycle: LifecycleName, task: string, stage?: Stage) =>
  ({ run, lifecycle, task, facts: {}, ...(stage && { stage }) }) as RunRecord

/** All stages of an undo, one after another. */
function stagesOf(lifecycle: LifecycleName, task: string, now: Definition): Stage[] {
  const found: Stage[] = []
  for (let stage: Stage | undefined; ; found.push(stage)) {
    stage = stageAfter(recordOf(lifecycle, task, stage), { before, now })
    if (!stage) return found
  }
}

describe('the undo of a change', () => {
  const off = databaseServer({ running: false })
  const safe = databaseServer({ running: false, snapshots: [saved] })
  it.each<[what: string, lifecycle: LifecycleName, task: string, now: Definition, stages: Stage[]]>([
    ['lets a guest run that was only held', 'patch', 'locate', before, ['back']],
    ['turns on what was only turned off', 'patch', 'stop.commit', off, ['back']],
    ['leaves disks alone that nothing was written to', 'patch', 'save.commit', safe, ['back']],
    ['leaves disks alone whose Job was not pushed yet', 'patch', 'patch.build', safe, ['back']],
    [
      'puts nothing back from the way back of another run',
      'patch',
      'patch.commit',
      databaseServer({ running: false, snapshots: [{ ...saved, run: 'r' }] }),
      ['back'],
    ],
    [
      'puts nothing back from a snapshot that is no way back',
      'patch',
      'patch.commit',
      databaseServer({ running: false, snapshots: [{ ...asked, run }] }),
      ['back'],
    ],
    [
      'keeps what is on them where all disks are put back that a Job may have written to',
      'patch',
      'patch.commit',
      safe,
      ['off', 'keep', 'disks', 'back'],
    ],
    [
      'keeps what a guest may have written since where all disks are put back after a patch',
      'patch',
      'start.commit',
      safe,
      ['off', 'keep', 'disks', 'back'],
    ],
    ['puts disks back that were restored', 'restore', 'restore.commit', safe, ['off', 'disks', 'back']],
    [
      'keeps what a guest may have written to disks that were restored',
      'restore',
      'start.commit',
      safe,
      ['off', 'keep', 'disks', 'back'],
    ],
    ['can put none back without a snapshot of its own', 'restore', 'restore.commit', off, ['back']],
    ['puts none back in another lifecycle', 'repave', 'swap.commit', safe, ['back']],
    [
      'turns a machine off to give it its old root disk',
      'repave',
      'swap.commit',
      databaseServer({ rootDisk: { ...before.rootDisk, name: 'db-01-root-new' } }),
      ['off', 'back'],
    ],
    [
      'turns a machine off to give it its old size',
      'resize',
      'start.commit',
      databaseServer({ size: { cores: 16, memory: '64Gi' } }),
      ['off', 'back'],
    ],
    [
      'turns a machine off to give it a disk back',
      'resize',
      'start.commit',
      databaseServer({ disks: [data] }),
      ['off', 'back'],
    ],
    [
      'turns a machine off to give it the disk that it had under the same name',
      'resize',
      'start.commit',
      databaseServer({ disks: [{ ...data, claim: 'db-01-kept' }, wal] }),
      ['off', 'back'],
    ],
    [
      'lets a guest run whose disk has grown',
      'resize',
      'start.commit',
      databaseServer({ disks: [{ ...data, size: '900Gi', made: data.size }, wal] }),
      ['back'],
    ],
    [
      'takes the protection of a last snapshot away first',
      'deprovision',
      'save.commit',
      databaseServer({ running: false, snapshots: [last] }),
      ['off', 'back'],
    ],
  ])('%s', (_, lifecycle, task, now, stages) => {
    expect(stagesOf(lifecycle, task, now)).toEqual(stages)
  })
})

describe('a stage', () => {
  const work = {
    restore: { name: 'db-01-restore', snapshot: asked.name },
    migration: { name: 'db-01-move' },
  } satisfies Partial<Definition>
  it.each<
    [what: string, stage: Stage, sides: Partial<Record<keyof Sides, Partial<Definition>>>, aim: Partial<Definition>]
  >([
    [
      'turns the machine off, and ends what goes on',
      'off',
      { now: work },
      { running: false, operation: `${run}.undo-off` },
    ],
    [
      'unprotects the last snapshot, and no other',
      'off',
      { now: { snapshots: [asked, saved, last] } },
      { running: false, operation: `${run}.undo-off`, snapshots: [asked, saved, { ...last, purpose: 'asked' }] },
    ],
    [
      'leaves the last snapshot of another run protected',
      'off',
      { now: { snapshots: [{ ...last, run: 'r' }] } },
      { running: false, operation: `${run}.undo-off`, snapshots: [{ ...last, run: 'r' }] },
    ],
    [
      "restores the run's own snapshot",
      'disks',
      { now: { ...work, snapshots: [asked, saved] } },
      {
        running: false,
        operation: `${run}.undo-disks`,
        snapshots: [asked, saved],
        pinned: true,
        restore: { name: 'db-01-restore-01234567', snapshot: saved.name, replaces: true },
      },
    ],
    [
      'takes a snapshot of the disks as they are now',
      'keep',
      { now: { ...work, snapshots: [asked, { ...saved, until: '2030-01-08T00:00:00.000Z' }] } },
      {
        running: false,
        operation: `${run}.undo-keep`,
        snapshots: [
          asked,
          { ...saved, until: '2030-01-08T00:00:00.000Z' },
          { ...undone, until: '2030-01-08T00:00:00.000Z' },
        ],
      },
    ],
    [
      'keeps that snapshot',
      'back',
      { before: { snapshots: [asked] }, now: { ...work, running: false, snapshots: [asked, saved, undone] } },
      { snapshots: [asked, undone] },
    ],
    ['gives the definition back', 'back', { now: { ...work, running: false, snapshots: [saved] } }, {}],
    ['leaves off what was off', 'back', { before: { running: false } }, { running: false }],
    [
      'leaves a disk as large as it has become',
      'back',
      { now: { disks: [{ ...data, size: '900Gi', made: data.size }, wal] } },
      { disks: [{ ...data, size: '900Gi', made: data.size }, wal] },
    ],
    [
      'leaves the root disk as large as it has become',
      'back',
      { now: { rootDisk: { ...before.rootDisk, size: '60Gi', made: before.rootDisk.size } } },
      { rootDisk: { ...before.rootDisk, size: '60Gi', made: before.rootDisk.size } },
    ],
    [
      'gives the root disk back as it was, though the one in its place has grown',
      'back',
      { now: { rootDisk: { ...before.rootDisk, name: 'db-01-root-new', size: '60Gi', made: before.rootDisk.size } } },
      {},
    ],
    ['gives a disk back that was let go of', 'back', { now: { disks: [wal] } }, {}],
    [
      'lets a disk go that has come',
      'back',
      { now: { disks: [data, wal, { name: 'logs', size: '1Gi', claim: 'c' }] } },
      {},
    ],
    [
      'does not bring a snapshot back that was let go of',
      'back',
      { before: { snapshots: [asked, { ...asked, name: 'db-01-old' }] }, now: { snapshots: [asked] } },
      { snapshots: [asked] },
    ],
    [
      'leaves a snapshot that was there, and takes away its own',
      'back',
      { before: { snapshots: [asked] }, now: { snapshots: [asked, saved] } },
      { snapshots: [asked] },
    ],
    ['brings no snapshot back where all were let go of', 'back', { before: { snapshots: [asked] } }, {}],
  ])('%s', (_, stage, sides, aim) => {
    const given = { before: databaseServer(sides.before), now: databaseServer(sides.now) }
    expect(aimOf(stage, recordOf('restore', 'restore.commit'), given)).toEqual(databaseServer(aim))
  })
})
