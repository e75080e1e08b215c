/** What differs between KubeVirts: which version has brought which field of a VirtualMachineRestore. */

/** The KubeVirt of a cluster that does not say which one it plays. */
export const usualKubevirt = '1.8'

const versions = ['1.4', '1.5', '1.6', '1.7', '1.8']

const text = (description: string) => ({ description, type: 'string' })
const texts = { additionalProperties: { type: 'string' }, type: 'object' }

/** The fields of its spec with their schemas, and since when they are there. */
const fields: Record<string, { since: string; schema: object }> = {
  patches: {
    since: '1.4',
    schema: { items: { type: 'string' }, type: 'array', 'x-kubernetes-list-type': 'atomic' },
  },
  target: {
    since: '1.4',
    schema: {
      description: 'initially only VirtualMachine type supported',
      properties: {
        apiGroup: text('APIGroup is the group for the resource being referenced.'),
        kind: text('Kind is the type of resource being referenced'),
        name: text('Name is the name of resource being referenced'),
      },
      required: ['kind', 'name'],
      type: 'object',
      'x-kubernetes-map-type': 'atomic',
    },
  },
  virtualMachineSnapshotName: { since: '1.4', schema: { type: 'string' } },
  targetReadinessPolicy: {
    since: '1.5',
    schema: text('TargetReadinessPolicy defines how to handle the restore in case the target is not ready'),
  },
  volumeRestoreOverrides: {
    since: '1.6',
    schema: {
      items: {
        properties: {
          annotations: texts,
          labels: texts,
          restoreName: { type: 'string' },
          volumeName: { type: 'string' },
        },
        type: 'object',
      },
      type: 'array',
      'x-kubernetes-list-type': 'atomic',
    },
  },
  volumeRestorePolicy: {
    since: '1.6',
    schema: text('VolumeRestorePolicy defines how to handle the restore of snapshotted volumes'),
  },
  volumeOwnershipPolicy: {
    since: '1.7',
    schema: text("VolumeOwnershipPolicy defines what owns volumes once they're restored"),
  },
}

/** The schemas of the fields that a version has. */
export const restoreFields = (version: string): Record<string, object> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, { since, schema }]) => (has(version, since) ? [[name, schema]] : [])),
  )

/** Says that there is no such version to be played. */
export function checkKubevirt(version: string): void {
  if (!versions.includes(version))
    throw new Error(`Cannot play KubeVirt ${version}: wanted one of ${versions.join(', ')}`)
}

const has = (version: string, since: string) => versions.indexOf(version) >= versions.indexOf(since)
