import { describe, expect, it } from 'vitest'
import { rewind } from '../../../functions/recover/rewind.ts'
import { toChangeSet } from '../../../shared/gitops/change-set.ts'
import { readRecord } from '../../../shared/ledger.ts'
import type { Machines, MachineView, Restore } from '../../../shared/machines.ts'
import { claimsFile, definitionFile } from '../../../shared/paths.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import { parseYaml } from '../../../shared/yaml.ts'
import type { MemoryFleet } from '../../fleet.ts'
import { databaseServer } from '../../shared/kubevirt/definitions.ts'
import { changing, commitAs, fleetHaving, gitops, machineOf } from '../changes.ts'
import { hereOf } from '../here.ts'
import { machinesShowing } from '../machines.ts'
import { runningView, showing } from '../verify/views.ts'

const server = databaseServer()
const run = changing('patch', {}, 'undo')
const values = definitionFile('site-a', 'shop', 'db-01')
const claims = claimsFile('site-a', 'shop', 'db-01')
const saved = { name: 'db-01-undo', purpose: 'undo' as const, run: run.id, disks: [], taken: run.since }
const changed = databaseServer({ running: false, operation: `${run.id}.patch`, snapshots: [saved] })

/** A fleet in which a run has come to this task, and has made this of the machine. */
async function fleetAfter(task: string, now: Definition): Promise<MemoryFleet> {
  const fleet = await fleetHaving(server)
  fleet.put({ [claims]: 'db-01-data-data-4f3104: before\n' })
  await commitAs({ ...run, task: 'locate' }, fleet)
  await commitAs({ ...run, task }, fleet, await toChangeSet(now, await fleet.head(), gitops))
  return fleet
}

const definitionIn = async (fleet: MemoryFleet) => parseYaml((await fleet.files())[values] ?? '') as Definition

/** A cluster that follows Git at once: off where that is wanted, with every restore complete, and running otherwise. */
function following(fleet: MemoryFleet, change: Partial<Machines> = {}) {
  const seen: string[] = []
  const machines: Machines = {
    ...machinesShowing(),
    async *watch() {
      const definition = await definitionIn(fleet)
      seen.push(definition.operation)
      yield definition.running ? runningView(definition) : offView(definition)
    },
    ...change,
  }
  return { machines, seen }
}

function offView(definition: Definition): MachineView {
  const view = showing(definition, 'Stopped')
  const { restore } = definition
  return {
    ...view,
    ...(view.machine && { machine: { ...view.machine, spec: { runStrategy: 'Halted' } } }),
    restores: restore ? [restoreOf(restore, { complete: true })] : [],
  }
}

const restoreOf = (
  { name, snapshot }: NonNullable<Definition['restore']>,
  status: Restore['status'] = {},
): Restore => ({
  metadata: { name },
  spec: { virtualMachineSnapshotName: snapshot },
  status,
})

const rewinding = (fleet: MemoryFleet, machines: Machines, here = hereOf().here) =>
  rewind(run, machineOf(server), { fleet, machines, gitops, rootApplication: 'drover-hub', graceMilliseconds: 0 }, here)

describe('rewind', () => {
  it('goes through its stages, each in Git and on the cluster before the next', async () => {
    const fleet = await fleetAfter('patch.commit', changed)
    const { machines, seen } = following(fleet)
    expect(await rewinding(fleet, machines)).toBeUndefined()
    expect(seen).toEqual([`${run.id}.undo-off`, `${run.id}.undo-disks`, server.operation])
    // What its restore has made of it on the cluster stays.
    expect(await definitionIn(fleet)).toEqual({ ...server, pinned: true })
    expect((await readRecord(await fleet.head(), run.id))?.stage).toBe('back')
  })

  it('notes the claims of the data that it has put back, for they came anew', async () => {
    const fleet = await fleetAfter('patch.commit', changed)
    await rewinding(fleet, following(fleet).machines)
    expect(parseYaml((await fleet.files())[claims] ?? '')).toEqual({
      'db-01-data-data-4f3104': 'uid-of-db-01-data-data-4f3104',
      'db-01-data-wal-4f3104': 'uid-of-db-01-data-wal-4f3104',
    })
  })

  it('leaves the claims as they are recorded where no disk was put back', async () => {
    const fleet = await fleetAfter('stop.commit', databaseServer({ running: false }))
    await rewinding(fleet, following(fleet).machines)
    expect((await fleet.files())[claims]).toBe('db-01-data-data-4f3104: before\n')
  })

  it('goes on at the stage that another delivery has begun, and notes the claims all the same', async () => {
    const fleet = await fleetAfter('patch.commit', changed)
    const { here, endPatience } = hereOf()
    const impatient = following(fleet, {
      async *watch() {
        const definition = await definitionIn(fleet)
        if (definition.restore) endPatience()
        else yield offView(definition)
      },
    })
    expect(await rewinding(fleet, impatient.machines, here)).toMatchObject({ kind: 'notYet' })
    const { machines, seen } = following(fleet)
    expect(await rewinding(fleet, machines)).toBeUndefined()
    expect(seen).toEqual([`${run.id}.undo-disks`, server.operation])
    expect((await fleet.files())[claims]).toContain('uid-of-')
  })

  it('changes nothing at a delivery after the last', async () => {
    const fleet = await fleetAfter('patch.commit', changed)
    await rewinding(fleet, following(fleet).machines)
    const before = await fleet.files()
    expect(await rewinding(fleet, following(fleet).machines)).toBeUndefined()
    expect(await fleet.files()).toEqual(before)
  })

  it('has nothing to do where the run has not changed the definition', async () => {
    const fleet = await fleetHaving(server)
    await commitAs({ ...run, task: 'locate' }, fleet)
    const { machines, seen } = following(fleet)
    expect(await rewinding(fleet, machines)).toBeUndefined()
    expect(seen).toEqual([])
  })

  it('leaves to a person what would shrink a data disk', async () => {
    const [data, ...others] = server.disks
    const grown = { ...changed, disks: [{ name: 'data', ...data, size: '300Gi' }, ...others] }
    const fleet = await fleetAfter('patch.commit', grown)
    const before = await definitionIn(fleet)
    expect(await rewinding(fleet, following(fleet).machines)).toEqual({
      kind: 'stranded',
      message: expect.stringMatching(
        /^Cannot put shop\/db-01 on site-a back: .* would shrink the data disk "db-01-data-data-4f3104" from 300Gi to 200Gi$/,
      ),
    })
    expect((await definitionIn(fleet)).disks).toEqual(before.disks)
  })

  it('leaves to a person what the cluster cannot do', async () => {
    const fleet = await fleetAfter('patch.commit', changed)
    const { machines } = following(fleet, {
      async *watch() {
        const definition = await definitionIn(fleet)
        const view = offView(definition)
        const failure = { type: 'Failure', status: 'True', reason: 'the storage is full' }
        yield definition.restore
          ? { ...view, restores: [restoreOf(definition.restore, { conditions: [failure] })] }
          : view
      },
    })
    expect(await rewinding(fleet, machines)).toEqual({
      kind: 'stranded',
      message: 'Cannot put shop/db-01 on site-a back: restore db-01-restore-01234567 failed: the storage is full',
    })
  })
})
