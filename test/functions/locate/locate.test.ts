import { describe, expect, it } from 'vitest'
import { locate } from '../../../functions/locate/locate.ts'
import type { Images } from '../../../shared/golden-images.ts'
import { virtualMachine } from '../../../shared/kubevirt/virtual-machine.ts'
import type { MachineView } from '../../../shared/machines.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import { linuxServer } from '../../shared/kubevirt/definitions.ts'
import { changing, fleetHaving } from '../changes.ts'
import { hereOf } from '../here.ts'
import { machinesShowing } from '../machines.ts'
import { runningView } from '../verify/views.ts'

const server: Definition = linuxServer({ name: 'db-01', namespace: 'shop', cluster: 'site-a', disks: [] })
const run = changing('power', { action: 'stop' }, 'locate')

/** The machine as Git says, busy with what its status says. */
function shown(busy: object = {}): MachineView {
  const { machine, ...rest } = runningView(server)
  const { spec } = virtualMachine(server)
  return { ...rest, machine: { ...machine, spec, status: { ...machine?.status, ...busy } } } as unknown as MachineView
}

describe('a machine that KubeVirt is busy with', () => {
  it.each([
    [{ snapshotInProgress: 'nightly' }, 'snapshot nightly is being taken'],
    [{ restoreInProgress: 'undo' }, 'restore undo goes on'],
  ])('is waited for while its status says %j', async (busy, says) => {
    const { here, told } = hereOf()
    const machines = machinesShowing(shown(busy), shown())
    const outcome = await locate(run, await fleetHaving(server), machines, {} as Images, here)
    expect(told).toEqual([`shop/db-01 on site-a is busy: ${says}`])
    expect(outcome.kind).toBe('succeeded')
  })

  it('is waited for again in the next delivery', async () => {
    const { here, endPatience } = hereOf()
    const machines = machinesShowing(shown({ snapshotInProgress: 'nightly' }), endPatience)
    expect(await locate(run, await fleetHaving(server), machines, {} as Images, here)).toMatchObject({
      kind: 'notYet',
      message: expect.stringContaining('snapshot nightly is being taken'),
    })
  })
})
