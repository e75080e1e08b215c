import { describe, expect, it } from 'vitest'
import { stageAfter } from '../../../functions/recover/stages.ts'
import { failings } from '../../../scripts/docs/failures.ts'
import { type RunRecord, stages } from '../../../shared/ledger.ts'
import { type LifecycleName, lifecycleOf, lifecycles } from '../../../shared/lifecycles.ts'
import type { Definition } from '../../../shared/schema/definition.ts'

const failing = (name: LifecycleName, task: string) => failings(lifecycleOf(name)).find((one) => one.task.name === task)

const definition = {
  name: 'web',
  size: {},
  rootDisk: { name: 'web-root' },
  image: {},
  disks: [],
} as unknown as Definition

/** Whether `recover` would put the disks back of a run that fails at a task, as its record would be then. */
function putsDisksBack(lifecycle: LifecycleName, task: string): boolean {
  const { tasks } = lifecycleOf(lifecycle)
  const at = tasks.findIndex(({ name }) => name === task)
  const last = tasks.slice(0, at).findLast(({ name, by }) => by === 'commit' || name === 'locate')
  if (!tasks.slice(0, at).some(({ name }) => name === 'save.commit')) return false
  const record = { run: 'r', lifecycle, task: last?.name, stage: stages[0], facts: {} } as unknown as RunRecord
  const snapshots = [{ name: 'web-undo', purpose: 'undo' as const, run: 'r', disks: [], taken: '' }]
  const next = stageAfter(record, { before: definition, now: { ...definition, snapshots } })
  return next === 'keep' || next === 'disks'
}

const tasks = lifecycles
  .filter(({ name }) => name !== 'deprovision')
  .flatMap((one) => one.tasks.filter(({ by }) => by !== 'notify').map(({ name }) => [one.name, name] as const))

describe('what is said of failures', () => {
  it.each(lifecycles)('gives every task of $name a reason', (lifecycle) => {
    for (const { task, when } of failings(lifecycle)) expect(when, task.name).not.toBe('')
  })

  it.each(lifecycles)('names of $name the setting of a time, for an installation may have changed it', (lifecycle) => {
    for (const { when } of failings(lifecycle)) expect(when).not.toMatch(/\d+ ?(s|min|seconds|minutes)\b/)
  })

  it.each(tasks)('of %s at %s puts the disks back where recover does', (lifecycle, task) => {
    const { undone, ends } = failing(lifecycle, task) ?? {}
    expect(undone?.includes("the run's own snapshot")).toBe(putsDisksBack(lifecycle, task))
    expect(ends).toBe('rolledback')
  })

  it.each([
    ['remove.commit', 'rolledback'],
    ['remove.verify', 'stranded'],
    ['complete', 'stranded'],
    ['notify', 'completed'],
  ])('of deprovision at %s ends in %s', (task, ends) => {
    expect(failing('deprovision', task)?.ends).toBe(ends)
  })

  it('undoes the last thing first', () => {
    expect(failing('repave', 'check')?.undone).toBe(
      'it is turned off, and gets its old root disk again; it is turned on again, if it was on; the snapshot goes; the new root disk goes; the hold ends',
    )
  })
})
