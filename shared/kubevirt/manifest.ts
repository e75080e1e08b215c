import { createHash } from 'node:crypto'
import type { Definition } from '../schema/definition.ts'

/** A Kubernetes object as it stands in Git: what is wanted, never a status. */
export interface Manifest {
  apiVersion: string
  kind: string
  metadata: {
    name: string
    namespace?: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
    finalizers?: string[]
  }
  spec?: unknown
  [field: string]: unknown
}

const managedLabel = 'app.kubernetes.io/managed-by'
export const managedBy = { [managedLabel]: 'drover' } as const

/** True for an object that Drover has made. */
export const isManaged = ({ labels }: { labels?: Record<string, string> }): boolean =>
  labels?.[managedLabel] === managedBy[managedLabel]

/** The label that all objects of a machine carry. */
export const machineLabel = 'drover.dev/machine'

/** The annotation that says which round of which run an object was last written by. */
export const operationAnnotation = 'drover.dev/operation'

/** The label that tells a machine's disks apart: `root` or `data`. */
export const diskLabel = 'drover.dev/disk'

/** What no sync and no deletion of an Application may remove, and what does not count as a difference once it left Git. */
export const kept = {
  'argocd.argoproj.io/sync-options': 'Prune=false,Delete=false',
  'argocd.argoproj.io/compare-options': 'IgnoreExtraneous',
} as const

/** Argo CD deletes what is there and makes it anew where they differ: Applications apply nothing else (ApplyOutOfSyncOnly). */
export const replacing = { 'argocd.argoproj.io/sync-options': 'Force=true,Replace=true' } as const

/** True for an object that was made to outlive its machine. */
export const isKept = ({ annotations }: { annotations?: Record<string, string> }): boolean =>
  annotations?.['argocd.argoproj.io/sync-options'] === kept['argocd.argoproj.io/sync-options']

/** The metadata of an object of a machine. */
export function metadataOf(definition: Definition, name: string): Manifest['metadata'] & { namespace: string } {
  return { name, namespace: definition.namespace, labels: labelsOf(definition) }
}

/** Labels of a machine's objects; Drover's own cannot be overridden. */
export const labelsOf = (definition: Definition): Record<string, string> => ({
  ...definition.labels,
  ...ownLabelsOf(definition),
})

/** Drover's own labels of a machine's objects. */
export const ownLabelsOf = ({ name, template }: Definition): Record<string, string> => ({
  ...managedBy,
  [machineLabel]: name,
  'drover.dev/template': template,
})

/** The root disk's name has its image in it: another image is another disk, for a DataVolume cannot be changed. */
export function rootDiskName({
  name,
  image,
  rootDisk,
}: Pick<Definition, 'name' | 'image'> & Partial<Pick<Definition, 'rootDisk'>>): string {
  if (rootDisk?.name !== undefined) return rootDisk.name
  const reference = 'registry' in image ? image.registry : `${image.namespace}/${image.dataSource}`
  return `${name}-root-${createHash('sha256').update(reference).digest('hex').slice(0, 8)}`
}

/**
 * A data disk outlives its machine, and a name may be given out again; with the machine's identity in it, the next machine
 * of that name cannot take over a disk that was kept.
 */
export const dataDiskName = ({ name, identity }: Pick<Definition, 'name' | 'identity'>, disk: string) =>
  `${name}-data-${disk}-${identity.uuid.slice(0, 6)}`

/** The claim of a data disk: one of its own where it was not made with the machine. */
export const claimOf = (
  definition: Pick<Definition, 'name' | 'identity'>,
  { name, claim }: Pick<Definition['disks'][number], 'name' | 'claim'>,
): string => claim ?? dataDiskName(definition, name)

/** A disk that comes later is named after its run: one of its name may have been let go of, and is kept. */
export const addedDiskName = (machine: string, disk: string, run: string) =>
  `${machine}-data-${disk}-${run.slice(0, 6)}`

/** The names of the machine's volumes, by which its snapshots know its disks. */
export const rootVolume = 'rootdisk'
const dataVolume = 'data-'
export const volumeOf = ({ name }: { name: string }) => `${dataVolume}${name}`
export const isDataVolume = (volume: string) => volume.startsWith(dataVolume)
/** The data disk that a volume is of; of the root disk's there is none. */
export const diskOfVolume = (volume: string) => volume.slice(dataVolume.length)

/** The names of the claims that the machine's data is on. */
export const dataClaims = (definition: Pick<Definition, 'name' | 'identity' | 'disks'>): string[] =>
  definition.disks.map((disk) => claimOf(definition, disk))

/** The disks that a machine runs from, the root disk first, which requests call "root"; each with the name of its claim. */
export const disksOf = (definition: Definition): MachineDisk[] => [
  { ...made(definition.rootDisk), name: 'root', volume: rootVolume, claim: rootDiskName(definition) },
  ...definition.disks.map((disk) => ({
    ...made(disk),
    ...{ name: disk.name, volume: volumeOf(disk), claim: claimOf(definition, disk) },
  })),
]

export interface MachineDisk extends Made {
  name: string
  volume: string
  claim: string
}

type Made = Pick<Definition['rootDisk'], 'size' | 'made' | 'snapshot' | 'atOnce'>

const made = ({ size, made, snapshot, atOnce }: Made): Made => ({
  size,
  ...(made !== undefined && { made }),
  ...(snapshot !== undefined && { snapshot }),
  ...(atOnce && { atOnce }),
})

/** The names of the claims of all of its disks, the root disk first. */
export const allClaims = (definition: Definition): string[] => [rootDiskName(definition), ...dataClaims(definition)]

export const cloudInitName = (machine: string) => `${machine}-cloudinit`
export const sysprepName = (machine: string) => `${machine}-sysprep`
export const ownerName = (machine: string) => `${machine}-owner`
