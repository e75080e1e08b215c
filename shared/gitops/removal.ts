import type { Change, Tree } from '../fleet.ts'
import { claimOf } from '../kubevirt/manifest.ts'
import {
  applicationFile,
  archivedFile,
  archiveFolder,
  keptFile,
  lockFile,
  machineFolder,
  placementFile,
} from '../paths.ts'
import type { Definition } from '../schema/definition.ts'
import type { KeptDisk } from '../schema/kept-disk.ts'
import type { Claims } from '../step.ts'
import { toYaml } from '../yaml.ts'

/**
 * Takes a machine out of the fleet: its files move to the archive, its Application goes, and each data disk that is kept
 * gets a file of its own. Its name and addresses stay taken until the cluster has followed.
 */
export async function toRemoval(
  definition: Definition,
  tree: Tree,
  { run, since, claims }: { run: string; since: string; claims: Claims },
): Promise<Change[]> {
  const { cluster, namespace, name } = definition
  const folder = machineFolder(cluster, namespace, name)
  const archive = archiveFolder(since, name, run)
  const lock = lockFile(cluster, namespace, name)
  const paths = [
    ...(await filesIn(tree, folder)).filter((path) => path !== lock),
    applicationFile(cluster, namespace, name),
    placementFile(name),
  ]
  const moved = await Promise.all(
    paths.map(async (path): Promise<Change[]> => {
      const content = await tree.read(path)
      if (content === undefined) return []
      return [
        { path, content: null },
        { path: archivedFile(archive, path), content },
      ]
    }),
  )
  const kept = definition.disks.filter(({ destroyed }) => !destroyed)
  return [...moved.flat(), ...kept.map((disk) => toKept(definition, disk, { run, since, claims }))]
}

/** The file that says of a data disk that it is kept, with all that another machine needs to take it. */
export function toKept(
  definition: Definition,
  disk: Definition['disks'][number],
  { run, since, claims }: { run: string; since: string; claims: Claims },
): Change {
  const { cluster, namespace, name: machine } = definition
  const claim = claimOf(definition, disk)
  const { size, made, snapshot, storageClass } = disk
  const uid = claims[claim]
  const kept: KeptDisk = {
    ...{ disk: claim, cluster, namespace, machine, run, since, size },
    ...(made && { made }),
    ...(snapshot && { snapshot }),
    ...(storageClass && { storageClass }),
    ...(uid && { uid }),
  }
  return { path: keptFile(cluster, namespace, claim), content: toYaml(kept) }
}

/** Every file under a folder. */
export async function filesIn(tree: Tree, folder: string): Promise<string[]> {
  const entries = await tree.list(folder)
  const paths = await Promise.all(
    entries.map(({ name, mode }) => (mode === '040000' ? filesIn(tree, `${folder}/${name}`) : [`${folder}/${name}`])),
  )
  return paths.flat()
}
