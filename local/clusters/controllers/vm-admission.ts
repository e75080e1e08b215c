import { randomUUID } from 'node:crypto'
import { type Cause, denied } from '../api-error.ts'
import type { Cluster } from '../cluster.ts'
import { indexBy } from '../index-by.ts'
import { type KubeObject, keyOf } from '../object.ts'
import { same } from '../store-rules.ts'
import { staleRevisions, withoutEmptyRevisions } from './matcher-admission.ts'
import type { VirtualMachine } from './vm-types.ts'

const strategies = ['Always', 'Halted', 'Manual', 'RerunOnFailure', 'Once', 'WaitAsReceiver']
const template = 'spec.template.spec'

/** KubeVirt's admission: refuses what it refuses, in its words, and fills in what the manifest leaves to it. */
export function admitMachines(cluster: Cluster): void {
  const { store } = cluster
  const byMac = indexBy<VirtualMachine>(store, 'VirtualMachine', (machine) => macs(machine))
  store.admit('VirtualMachine', (object, previous) => {
    const machine = object as VirtualMachine
    const stale = previous ? staleRevisions(machine, previous as VirtualMachine) : []
    if (stale.length > 0) throw denied('virtualmachines-mutator.kubevirt.io', stale)
    const causes = [
      ...shape(machine),
      ...(machine.spec?.template?.spec?.domain ? [...disks(machine), ...types(cluster, machine)] : []),
    ]
    if (causes.length === 0 && previous) causes.push(...held(machine, previous as VirtualMachine))
    if (causes.length > 0) throw denied('virtualmachine-validator.kubevirt.io', causes)
    const taken = macs(machine).find(
      (mac, n, all) => all.indexOf(mac) !== n || [...byMac.keys(mac)].some((key) => key !== keyOf(machine)),
    )
    if (taken)
      throw denied('mutatevirtualmachines.kubemacpool.io', [
        {
          reason: 'FieldValueDuplicate',
          message: `Failed to create virtual machine allocation error: Failed to allocate mac to the vm object: failed to allocate requested mac address ${taken}: it is in use`,
          field: `${template}.domain.devices.interfaces`,
        },
      ])
    return completed(machine)
  })
}

function macs({ spec }: VirtualMachine): string[] {
  return (spec.template?.spec?.domain?.devices?.interfaces ?? []).flatMap(
    ({ macAddress }) => macAddress?.toLowerCase() ?? [],
  )
}

function shape({ spec }: VirtualMachine): Cause[] {
  const cause = (reason: string, message: string, field: string): Cause => ({ reason, message, field })
  if (!spec?.template?.spec?.domain)
    return [cause('FieldValueRequired', 'missing virtual machine template.', 'spec.template')]
  const { running, runStrategy } = spec
  if (running !== undefined && runStrategy !== undefined)
    return [
      cause(
        'FieldValueInvalid',
        'Running and RunStrategy are mutually exclusive. Note that Running is deprecated, please use RunStrategy instead',
        'spec.running',
      ),
    ]
  if (running === undefined && runStrategy === undefined)
    return [cause('FieldValueRequired', 'One of Running or RunStrategy must be specified', 'spec.running')]
  if (runStrategy !== undefined && !strategies.includes(runStrategy))
    return [cause('FieldValueInvalid', `Invalid RunStrategy (${runStrategy})`, 'spec.runStrategy')]
  return []
}

function disks({ spec }: VirtualMachine): Cause[] {
  const { domain, volumes = [], networks = [] } = spec.template.spec
  const { disks: all = [], filesystems = [], interfaces = [] } = domain.devices ?? {}
  const missing = (field: string, name: string): Cause => ({
    reason: 'FieldValueInvalid',
    message: `${field} '${name}' not found.`,
    field,
  })
  const named = new Set(volumes.map(({ name }) => name))
  const used = new Set([...all, ...filesystems].map(({ name }) => name))
  return [
    ...all.flatMap(({ name }, n) =>
      named.has(name) ? [] : [missing(`${template}.domain.devices.disks[${n}].Name`, name)],
    ),
    ...volumes.flatMap(({ name }, n) =>
      used.has(name) || spec.preference ? [] : [missing(`${template}.domain.volumes[${n}].name`, name)],
    ),
    ...interfaces.flatMap(({ name }, n) =>
      networks.some((network) => network.name === name)
        ? []
        : [missing(`${template}.domain.devices.interfaces[${n}].name`, name)],
    ),
    ...untemplated(spec),
  ]
}

function untemplated({ dataVolumeTemplates = [], template: { spec } }: VirtualMachine['spec']): Cause[] {
  const used = new Set(
    (spec.volumes ?? []).flatMap(
      ({ dataVolume, persistentVolumeClaim }) => dataVolume?.name ?? persistentVolumeClaim?.claimName ?? [],
    ),
  )
  return dataVolumeTemplates.flatMap(({ metadata }, n) => {
    const field = `spec.dataVolumeTemplate[${n}]`
    const message = `DataVolumeTemplate entry ${field} must be referenced in the VMI template's 'volumes' list`
    return used.has(metadata.name) ? [] : [{ reason: 'FieldValueInvalid', message, field }]
  })
}

function types({ store }: Cluster, { spec }: VirtualMachine): Cause[] {
  const find = (what: 'instancetype' | 'preference', kind: string): Cause[] => {
    const matcher = spec[what]
    if (
      !matcher ||
      (matcher.kind && matcher.kind.toLowerCase() !== kind.toLowerCase()) ||
      store.get(kind, '', matcher.name)
    )
      return []
    const message = `Failure to find ${what}: ${kind.toLowerCase()}s.instancetype.kubevirt.io "${matcher.name}" not found`
    return [{ reason: 'FieldValueNotFound', message, field: `spec.${what}` }]
  }
  const { memory, resources } = spec.template.spec.domain
  const sized = spec.instancetype || memory?.guest || resources?.requests?.['memory']
  const size = `${template}.domain.memory.guest`
  return [
    ...find('instancetype', 'VirtualMachineClusterInstancetype'),
    ...find('preference', 'VirtualMachineClusterPreference'),
    ...(sized
      ? []
      : [
          {
            reason: 'FieldValueRequired',
            message: `no memory requested, at least one of memory request, memory limit or memory guest must be specified`,
            field: size,
          },
        ]),
  ]
}

/** What must not change of a machine while it is being snapshot or restored. */
function held({ spec, status }: VirtualMachine, { spec: before }: VirtualMachine): Cause[] {
  const cause = (message: string): Cause[] => [{ reason: 'FieldValueNotSupported', message, field: 'spec' }]
  const { snapshotInProgress: snapshot, restoreInProgress: restore } = status ?? {}
  const isMoved = spec.runStrategy !== before.runStrategy || spec.running !== before.running
  if (snapshot !== undefined && !same(spec.template.spec.volumes, before.template.spec.volumes))
    return cause(`Cannot update vm disks or volumes until snapshot "${snapshot}" completes`)
  if (snapshot !== undefined && isMoved)
    return cause(`Cannot update vm running state until snapshot "${snapshot}" completes`)
  if (restore !== undefined && isMoved)
    return cause(`Cannot update VM runStrategy until restore "${restore}" completes`)
  return []
}

function completed(machine: VirtualMachine): KubeObject {
  const { spec } = machine.spec.template
  const { domain } = spec
  const firmware = { uuid: randomUUID(), serial: randomUUID(), ...domain.firmware }
  const filled = {
    architecture: 'amd64',
    ...spec,
    domain: { ...domain, firmware, machine: { type: 'q35', ...domain.machine } },
  }
  const template = { ...machine.spec.template, spec: filled }
  return { ...machine, spec: { ...withoutEmptyRevisions(machine.spec), template } }
}
