import type { Machines, MachineView, Restore } from '../../../shared/machines.ts'
import { definitionFile } from '../../../shared/paths.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import { parseYaml } from '../../../shared/yaml.ts'
import type { MemoryFleet } from '../../fleet.ts'
import { machinesShowing } from '../machines.ts'
import { runningView, showing } from '../verify/views.ts'

const values = definitionFile('site-a', 'shop', 'db-01')

/** The machine as Git has it. */
export const definitionIn = async (fleet: MemoryFleet) => parseYaml((await fleet.files())[values] ?? '') as Definition

/** A cluster that follows Git at once: off where that is wanted, with every restore complete, and running otherwise. */
export function following(fleet: MemoryFleet, change: Partial<Machines> = {}) {
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

/** The machine off, with its restore complete where it has one, and its root disk filled where that was made anew. */
export function offView(definition: Definition): MachineView {
  const view = showing(definition, 'Stopped')
  const { restore, rootDisk, snapshots = [] } = definition
  return {
    ...view,
    disks: rootDisk.name === undefined ? [] : [{ metadata: { name: rootDisk.name }, status: { phase: 'Succeeded' } }],
    ...(view.machine && { machine: { ...view.machine, spec: { runStrategy: 'Halted' } } }),
    snapshots: snapshots.map(({ name }) => ({ metadata: { name }, status: { phase: 'Succeeded', readyToUse: true } })),
    restores: restore ? [restoreOf(restore, { complete: true })] : [],
  }
}

export const restoreOf = (
  { name, snapshot }: NonNullable<Definition['restore']>,
  status: Restore['status'] = {},
): Restore => ({
  metadata: { name },
  spec: { virtualMachineSnapshotName: snapshot },
  status,
})
