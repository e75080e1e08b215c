import { describe, expect, it } from 'vitest'
import { assessReady } from '../../../shared/goals/ready.ts'
import { dataDiskName } from '../../../shared/kubevirt/manifest.ts'
import { condition, disk, runningView, showing } from '../../functions/verify/views.ts'
import { databaseServer } from '../kubevirt/definitions.ts'

const definition = databaseServer({ name: 'web-01' })
const failedDisk = (name: string) => {
  const one = disk('Failed', undefined, [condition('Running', 'False', 'quota exceeded')])
  return { ...one, metadata: { name } }
}
/** A disk that was kept when an earlier machine of this name was undone. */
const kept = failedDisk(dataDiskName({ name: 'web-01', identity: { uuid: 'ffffffff', serial: '' } }, 'data'))

describe('a root disk that a run had made beside the machine’s own, and has given up', () => {
  it('does not keep the machine from being ready', () => {
    const given = failedDisk('web-01-root-0badcafe')
    expect(assessReady({ ...runningView(definition), disks: [given] }, definition)).toMatchObject({ state: 'reached' })
  })
})

describe('a data disk that was kept of an earlier machine of the same name', () => {
  it('does not fail the new machine', () => {
    expect(assessReady({ ...runningView(definition), disks: [kept] }, definition)).toMatchObject({ state: 'reached' })
  })

  it('is not what the new machine waits for', () => {
    expect(assessReady({ ...showing(definition, 'Starting'), disks: [kept] }, definition)).toEqual({
      state: 'waiting',
      message: 'the VirtualMachine is Starting',
    })
  })

  it('is told apart from the machine’s own', () => {
    const own = failedDisk(dataDiskName(definition, 'data'))
    expect(assessReady({ ...showing(definition, 'Starting'), disks: [kept, own] }, definition)).toEqual({
      state: 'failed',
      message: `disk ${own.metadata.name} failed: quota exceeded`,
    })
  })
})
