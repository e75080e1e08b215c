import { describe, expect, it } from 'vitest'
import { aimOf, needsNewRoot, type Sides, stageAfter } from '../../../functions/recover/stages.ts'
import type { RunRecord, Stage } from '../../../shared/ledger.ts'
import type { LifecycleName } from '../../../shared/lifecycles.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import type { Facts } from '../../../shared/step.ts'
import { runOf } from '../../examples/starter.ts'
import { databaseServer } from '../../shared/kubevirt/definitions.ts'

const { id, since, deadline, requester, request } = runOf()
const until = '2030-01-08T10:00:00.000Z'
const wayBack = { name: 'db-01-undo', purpose: 'undo', run: id, disks: [] as string[], taken: since, until } as const
const before = databaseServer()
const off = databaseServer({ running: false, snapshots: [wayBack] })
const from = { snapshot: 'db-01-undo', volumes: { rootdisk: 'vs-root', 'data-data': 'vs-data' } }
const newer: Definition = { ...off, rootDisk: { ...off.rootDisk, name: 'db-01-root-new' } }

const record = (lifecycle: LifecycleName, task: string, facts: Facts = {}, stage?: Stage): RunRecord => ({
  ...{ run: id, lifecycle, task, requester, request, since, deadline, at: since, facts, wrote: {} },
  state: 'undoing',
  ...(stage && { stage }),
})

/** The stages that an undo goes through. */
function stagesOf(lifecycle: LifecycleName, task: string, facts: Facts, now: Definition): Stage[] {
  const passed: Stage[] = []
  for (let stage: Stage | undefined; ; ) {
    const reached = record(lifecycle, task, facts, stage)
    stage = stageAfter(reached, { before, now }, needsNewRoot(reached) ? { from } : {})
    if (!stage) return passed
    passed.push(stage)
  }
}

describe('an undo', () => {
  it.each<[string, LifecycleName, string, Facts, Definition, Stage[]]>([
    ['before the disk was changed', 'patch', 'save.commit', {}, off, ['back']],
    ['of a patch', 'patch', 'patch.commit', {}, off, ['off', 'disks', 'back']],
    ['of a patch whose guest has run again', 'patch', 'start.commit', {}, off, ['off', 'disks', 'back']],
    ['of a restore in place', 'restore', 'restore.commit', { restoring: 'in place' }, off, ['off', 'disks', 'back']],
    ['of a restore that began before it was asked how', 'restore', 'restore.commit', {}, off, ['off', 'disks', 'back']],
    ['of a restore to new disks', 'restore', 'restore.commit', { restoring: 'new disks' }, newer, ['off', 'back']],
  ])('%s goes through its stages', (_, lifecycle, task, facts, now, wanted) => {
    expect(stagesOf(lifecycle, task, facts, now)).toEqual(wanted)
  })

  const patching = record('patch', 'start.commit')
  const restoring = (task: string) => record('restore', task, { restoring: 'new disks' })
  const sides: Sides = { before, now: off }

  it('restores the disks in place', () => {
    expect(aimOf('disks', patching, sides)).toMatchObject({
      running: false,
      restore: { name: 'db-01-restore-01234567', snapshot: 'db-01-undo', replaces: true },
    })
  })

  it('makes the root disk anew where that cannot be, keeps the one that was changed, and leaves the data disks', () => {
    const aim = aimOf('disks', patching, sides, { from })
    expect(aim).not.toHaveProperty('restore')
    const root = { size: '30Gi', name: 'db-01-root-undo-01234567', snapshot: 'vs-root' }
    expect(aim.rootDisk).toEqual(root)
    // Nothing would fill it otherwise.
    const staysOff = record('patch', 'patch.commit', { restoring: 'new disks', wasRunning: false })
    expect(aimOf('disks', staysOff, sides, { from }).rootDisk).toEqual({ ...root, atOnce: true })
    expect(aim.oldRoots).toEqual([{ size: '30Gi', name: 'db-01-root-71f75f7d', image: off.image, until }])
    expect(aim.disks).toEqual(before.disks)
  })

  it('ends with the machine as it was, on its new root disk', () => {
    const aim = aimOf('disks', patching, sides, { from })
    const back = aimOf('back', patching, { before, now: aim }, { from })
    expect(back).toEqual({ ...before, rootDisk: aim.rootDisk, oldRoots: aim.oldRoots })
  })

  it('ends a restore to new disks with the disks from before, and keeps the root disk that a guest may have written to', () => {
    expect(aimOf('back', restoring('start.commit'), { before, now: newer })).toEqual(before)
    const restored = { ...newer, rootDisk: { ...newer.rootDisk, snapshot: 'vs-root', atOnce: true } }
    expect(aimOf('back', restoring('restore.commit'), { before, now: restored })).toEqual(before)
    expect(aimOf('back', restoring('start.commit'), { before, now: restored })).toEqual({
      ...before,
      oldRoots: [{ ...restored.rootDisk, image: before.image, until }],
    })
  })
})
