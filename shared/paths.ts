import { createHash } from 'node:crypto'

/**
 * Where things lie in the fleet repository. Names and addresses are paths, so a name can be taken only once and nobody
 * ever reads the whole fleet; what would grow with the fleet is spread over 256 folders.
 */

const spread = (name: string) => createHash('sha256').update(name).digest('hex').slice(0, 2)

const namesFolder = 'names'
/** The file that holds a machine's name in the whole fleet. */
export const nameFile = (name: string) => `${namesFolder}/${spread(name)}/${name}.yaml`

/** The folder of a network's addresses. */
export const networksFolder = 'ipam'
export const networkFolder = (network: string) => `${networksFolder}/${network}`
export const networkFile = (network: string) => `${networkFolder(network)}/network.yaml`

/** The file that holds one address; ':' cannot stand in a file name on every system. */
export const addressFile = (network: string, address: string) =>
  `${networkFolder(network)}/${address.replaceAll(':', '-')}.yaml`

/** The record of a run in flight: what it wrote and how to put it back. It is gone when the run has ended. */
export const runFolder = 'runs'
export const runFile = (run: string) => `${runFolder}/${run}.yaml`

export const machinesFolder = 'vms'
export const machinesIn = (cluster: string, namespace: string) => `${machinesFolder}/${cluster}/${namespace}`
export const machineFolder = (cluster: string, namespace: string, name: string) =>
  `${machinesIn(cluster, namespace)}/${name}`
export const definitionFile = (cluster: string, namespace: string, name: string) =>
  `${machineFolder(cluster, namespace, name)}/values.yaml`
export const manifestsFolder = (cluster: string, namespace: string, name: string) =>
  `${machineFolder(cluster, namespace, name)}/manifests`

/** Who holds the machine: the run that changes it. It is gone when the run has ended. */
export const lockFile = (cluster: string, namespace: string, name: string) =>
  `${machineFolder(cluster, namespace, name)}/operation.yaml`

export const isLock = (path: string) => /^(vms|images)\/.*\/operation\.yaml$/.test(path)

/** The claims of the machine's disks as they were seen last, by uid: a disk that came anew is another disk. */
export const claimsFile = (cluster: string, namespace: string, name: string) =>
  `${machineFolder(cluster, namespace, name)}/claims.yaml`

/** What a deprovision took away, under the day on which it was asked for: machines are removed all the time, and no folder may grow without end. */
export const archiveFolder = (since: string, name: string, run: string) =>
  `archive/${since.slice(0, 4)}/${since.slice(5, 10)}/${name}-${run}`

export const isArchivedDefinition = (path: string) => /^archive\/(?:[^/]+\/){2,3}values\.yaml$/.test(path)

/** Where a machine's file goes in its archive: those of its folder as they lie there, its Placement and Application beside them. */
export function archivedFile(archive: string, path: string): string {
  const file = path.slice(path.lastIndexOf('/') + 1)
  if (path.startsWith(`${placementsFolder}/`)) return `${archive}/placement-${file}`
  if (path.startsWith(`${applicationsFolder}/`)) return `${archive}/application-${file}`
  return `${archive}/${path.split('/').slice(4).join('/')}`
}

/** A data disk that outlived its machine, until another one takes it. */
export const keptFolder = 'kept'
export const keptFolderOf = (cluster: string, namespace: string) => `${keptFolder}/${cluster}/${namespace}`
export const keptFile = (cluster: string, namespace: string, disk: string) =>
  `${keptFolderOf(cluster, namespace)}/${disk}.yaml`

/** The disk that a path says is kept; undefined for any other path. */
export const keptDiskIn = (path: string): string | undefined => /^kept\/[^/]+\/[^/]+\/([^/]+)\.yaml$/.exec(path)?.[1]

/** True for the note of a kept disk: the disk is for whoever takes it away. */
export const isKeptNote = (path: string) => path.startsWith(`${keptFolder}/`)

/**
 * That a machine is to be looked at after a day, because something that it keeps for a time is over then. Many machines
 * may be patched in one night.
 */
export const dueFolder = 'due'
export const dueFile = (day: string, cluster: string, namespace: string, name: string) =>
  `${dueFolder}/${day}/${spread(name)}/${cluster}.${namespace}.${name}.yaml`

/** The folder of what a namespace's machines share: the Namespace itself. */
export const namespaceFolder = (cluster: string, namespace: string) => `namespaces/${cluster}/${namespace}`

/** A golden image: what it is made of, what that renders to, and the run that holds it. */
export const imagesFolder = 'images'
export const imageFolder = (image: string) => `${imagesFolder}/${image}`
export const imageFile = (image: string) => `${imageFolder(image)}/image.yaml`
export const imageManifestsFolder = (image: string) => `${imageFolder(image)}/manifests`
export const imageLockFile = (image: string) => `${imageFolder(image)}/operation.yaml`

/** Argo CD applies `hub/` to the hub itself: Placements and Applications. */
const placementsFolder = 'hub/placements'
export const placementFile = (name: string) => `${placementsFolder}/${spread(name)}/${name}.yaml`
const applicationsFolder = 'hub/applications'
export const applicationFile = (cluster: string, namespace: string, name: string) =>
  `${applicationsFolder}/${cluster}/${namespace}/${name}.yaml`
/** No machine's name has a dot in it. */
export const imageApplicationFile = (cluster: string, namespace: string, image: string) =>
  `${applicationsFolder}/${cluster}/${namespace}/image.${image}.yaml`
export const namespaceApplicationFile = (cluster: string, namespace: string) =>
  `${applicationsFolder}/${cluster}/${namespace}.yaml`

export const templatesFolder = 'templates'
export const templateFile = (name: string) => `${templatesFolder}/${name}.yaml`
export const customizationsFolder = 'customizations'
export const customizationFile = (name: string) => `${customizationsFolder}/${name}.yaml`
export const policyFolder = 'policy'

/**
 * True for what the machines of a namespace share. No run takes it back: another machine may count on it by now, and a
 * disk may live in the namespace.
 */
export const isShared = (path: string) => /^(namespaces\/|hub\/applications\/[^/]+\/[^/]+\.yaml$)/.test(path)

const reservations = [namesFolder, networksFolder, keptFolder, placementsFolder]

/** True for a path that reserves something: an undo gives it back last, when the cluster no longer uses it. */
export const isReservation = (path: string) =>
  reservations.some((folder) => path.startsWith(`${folder}/`)) || isLock(path)
