import { type Cause, denied } from '../api-error.ts'
import type { Cluster } from '../cluster.ts'
import { restoreFields } from '../kubevirt.ts'
import type { KubeObject } from '../object.ts'
import { same } from '../store-rules.ts'
import type { Restore, Snapshot } from './snapshot-types.ts'

const policies = {
  volumeRestorePolicy: ['InPlace', 'RandomizeNames', 'PrefixTargetName'],
  volumeOwnershipPolicy: ['Vm', 'None'],
} as const

/**
 * KubeVirt's admission of snapshots and restores. It does not mind a restore of a snapshot that is not there or not ready:
 * the restore says so in its conditions, and waits.
 */
export function admitSnapshots({ store, kubevirt }: Cluster): void {
  store.admit('VirtualMachineSnapshot', (object, previous) => {
    const { spec } = object as Snapshot
    const causes = previous ? unchanged(object, previous) : reference(spec?.source, 'spec.source')
    if (causes.length > 0) throw denied('virtualmachinesnapshot-validator.snapshot.kubevirt.io', causes)
    return object
  })
  store.admit('VirtualMachineRestore', (object, previous) => {
    const restore = { ...object, spec: known((object as Restore).spec, kubevirt) } as Restore
    const others = store.list<Restore>('VirtualMachineRestore', restore.metadata.namespace)
    const causes = previous ? unchanged(restore, previous) : [...restoreCauses(restore), ...inProgress(restore, others)]
    if (causes.length > 0) throw denied('virtualmachinerestore-validator.snapshot.kubevirt.io', causes)
    return restore
  })
}

/** What an older KubeVirt does not know of a spec the API server drops, and says nothing. */
function known(spec: Restore['spec'] | undefined, kubevirt: string) {
  const fields = restoreFields(kubevirt)
  return spec && Object.fromEntries(Object.entries(spec).filter(([name]) => name in fields))
}

function unchanged(object: KubeObject, previous: KubeObject): Cause[] {
  if (same(object['spec'], previous['spec'])) return []
  return [{ reason: 'FieldValueInvalid', message: 'spec in immutable after creation', field: 'spec' }]
}

function reference(to: Partial<Snapshot['spec']['source']> | undefined, field: string): Cause[] {
  if (to?.apiGroup === undefined)
    return [{ reason: 'FieldValueNotFound', message: 'missing apiGroup', field: `${field}.apiGroup` }]
  if (to.apiGroup !== 'kubevirt.io')
    return [{ reason: 'FieldValueInvalid', message: 'invalid apiGroup', field: `${field}.apiGroup` }]
  if (to.kind !== 'VirtualMachine')
    return [{ reason: 'FieldValueInvalid', message: 'invalid kind', field: `${field}.kind` }]
  return []
}

function restoreCauses({ spec }: Restore): Cause[] {
  const wrong = reference(spec?.target, 'spec.target')
  if (wrong.length > 0) return wrong
  const policy = (name: keyof typeof policies, words: string): Cause[] => {
    const value: string | undefined = spec[name]
    if (value === undefined || policies[name].some((one) => one === value)) return []
    return [{ reason: 'FieldValueInvalid', message: `${words} "${value}" doesn't exist`, field: `spec.${name}` }]
  }
  return [
    ...policy('volumeRestorePolicy', 'volume restore policy'),
    ...policy('volumeOwnershipPolicy', 'volume ownership policy'),
  ]
}

function inProgress({ spec }: Restore, others: Restore[]): Cause[] {
  return others
    .filter((other) => same(other.spec.target, spec?.target) && !other.status?.complete)
    .map(({ metadata }) => ({
      reason: 'FieldValueInvalid',
      message: `VirtualMachineRestore "${metadata.name}" in progress`,
      field: 'spec.target',
    }))
}
