import type { Condition, DataVolume, MachineView } from '../../../shared/machines.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import { nothing } from '../machines.ts'

/** What a cluster shows on the way of a machine, in the order and the words of real ones. */

const condition = (type: string, status: string, message = '', reason = ''): Condition => ({
  type,
  status,
  message,
  reason,
})

export const synced = (status = 'Synced', rest: object = {}): MachineView => ({
  ...nothing,
  application: { metadata: { name: 'web-01' }, status: { sync: { status }, ...rest } },
})

/** The VirtualMachine of a definition with a printable status; ready as told. */
export const showing = (
  { name, operation }: Definition,
  printableStatus: string,
  { ready = false, conditions = [] as Condition[], observedGeneration = 1, desiredGeneration = 1 } = {},
): MachineView => ({
  ...synced(),
  machine: {
    metadata: { name, generation: 1, annotations: { 'drover.dev/operation': operation } },
    status: { printableStatus, ready, observedGeneration, desiredGeneration, conditions },
  },
})

export const disk = (phase: string, progress?: string, conditions: Condition[] = []): DataVolume => ({
  metadata: { name: 'web-01-root-71f75f7d' },
  status: { phase, ...(progress ? { progress } : {}), conditions },
})

/** The machine runs and its agent speaks; each interface has the addresses allocated to it, unless told otherwise. */
export const runningView = (
  definition: Definition,
  { agent = true, addresses = undefined as string[] | undefined } = {},
) => {
  const view = showing(definition, 'Running', { ready: true })
  return {
    ...view,
    instance: {
      metadata: { name: definition.name },
      status: {
        phase: 'Running',
        nodeName: 'node-1',
        conditions: agent ? [condition('AgentConnected', 'True')] : [],
        interfaces: definition.interfaces.map(({ mac, leases }) => ({
          mac: mac.toUpperCase(),
          ipAddresses: addresses ?? leases.map(({ address }) => address),
        })),
      },
    },
    disks: [disk('Succeeded', '100.0%')],
  } satisfies MachineView
}

export { condition }
