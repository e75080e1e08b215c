import type { Tree } from '../../shared/fleet.ts'
import { fileName } from '../../shared/gitops/change-set.ts'
import { dataClaims } from '../../shared/kubevirt/manifest.ts'
import {
  definitionFile,
  keptFile,
  keptFolder,
  keptFolderOf,
  machinesIn,
  manifestsFolder,
  runFile,
} from '../../shared/paths.ts'
import { Definition } from '../../shared/schema/definition.ts'
import { KeptDisk } from '../../shared/schema/kept-disk.ts'
import type { Machine } from '../../shared/schema/machine.ts'
import type { ProvisionRequest } from '../../shared/schema/provision-request.ts'
import { namesIn, readChecked } from '../../shared/schema/read.ts'
import { listed, show } from '../../shared/schema/show.ts'
import type { Facts } from '../../shared/step.ts'
import { twice } from '../../shared/twice.ts'

/** What the kept disks of a request come to: the cluster that they are on, and their claims; or what is wrong with them. */
export type Attached = { problems: string[] } | { cluster?: string; facts: Pick<Facts, 'attached' | 'claims'> }

/** A kept disk is on one cluster and cannot leave it, so the machine that takes it is made there. */
export async function attach(tree: Tree, request: ProvisionRequest, machine: Machine): Promise<Attached> {
  const { attach: asked = [], namespace } = request
  if (asked.length === 0) return { facts: {} }
  const found = await Promise.all(
    asked.map(async (one, index) => ({ ...one, kept: await find(tree, namespace, one.disk, index) })),
  )
  const problems = found.flatMap(({ kept }) => (typeof kept === 'string' ? [kept] : []))
  problems.push(
    ...twice(asked.map(({ disk }) => disk)).map((disk) => `attach has ${show(disk)} twice, wanted each disk once`),
  )
  const disks = found.flatMap(({ name, kept }) => (typeof kept === 'string' ? [] : [{ name, kept }]))
  const clusters = [...new Set(disks.map(({ kept }) => kept.cluster))]
  const names = [...machine.disks, ...disks].map(({ name }) => name)
  const [cluster] = clusters
  const { placement } = machine
  if (clusters.length > 1) problems.push(`attach names disks on ${listed(clusters)}, wanted disks on one cluster`)
  if ('cluster' in placement && cluster !== undefined && placement.cluster !== cluster)
    problems.push(
      `placement.cluster is ${show(placement.cluster)}, wanted ${show(cluster)}, where the disks of attach are`,
    )
  problems.push(...twice(names).map((name) => `attach and disks have ${show(name)} twice, wanted each name once`))
  if (problems.length > 0 || cluster === undefined) return { problems }
  const claims = Object.fromEntries(
    disks.flatMap(({ kept: { disk, uid } }) => (uid === undefined ? [] : [[disk, uid]])),
  )
  return { cluster, facts: { attached: disks.map(({ name, kept }) => toDisk(name, kept)), claims } }
}

const toDisk = (name: string, { disk, size, made, snapshot, storageClass }: KeptDisk) => ({
  ...{ name, size, claim: disk },
  ...(made && { made }),
  ...(snapshot && { snapshot }),
  ...(storageClass && { storageClass }),
})

async function find(tree: Tree, namespace: string, disk: string, index: number): Promise<KeptDisk | string> {
  const clusters = (await tree.list(keptFolder)).map(({ name }) => name)
  const read = await Promise.all(
    clusters.map((cluster) => readChecked(tree, keptFile(cluster, namespace, disk), KeptDisk)),
  )
  const path = `attach[${index}].disk`
  const [found, another] = read.filter((one) => one !== undefined)
  if (another) return `${path} is ${show(disk)}, which is kept on two clusters`
  if (!found) {
    const known = (await Promise.all(clusters.map((cluster) => namesIn(tree, keptFolderOf(cluster, namespace))))).flat()
    return `${path} is ${show(disk)}, wanted one that is kept for ${show(namespace)}: ${known.length > 0 ? listed(known, 20) : 'there is none'}`
  }
  if (!found.ok) return found.problems.join('; ')
  const { run, cluster } = found.value
  // An undo would give it back to the machine that it came from.
  if ((await tree.oid(runFile(run))) !== undefined)
    return `${path} is ${show(disk)}, which run ${run} has not let go of yet: ask again once that has ended`
  const user = await userOf(tree, found.value)
  if (user !== undefined)
    return `${path} is ${show(disk)}, which machine ${show(user)} still has: ${keptFile(cluster, namespace, disk)} must go`
  return found.value
}

/**
 * The machine that has the disk, whatever a note says that was left behind by hand: two that write to one disk would destroy what
 * is on it. The machine that it was of may have it though its manifest is gone, or its definition cannot be read.
 */
async function userOf(tree: Tree, { cluster, namespace, machine, disk }: KeptDisk): Promise<string | undefined> {
  const read = await readChecked(tree, definitionFile(cluster, namespace, machine), Definition)
  if (read && (!read.ok || dataClaims(read.value).includes(disk))) return machine
  const names = (await tree.list(machinesIn(cluster, namespace))).map(({ name }) => name)
  const file = fileName({ kind: 'DataVolume', metadata: { name: disk } })
  const found = await Promise.all(names.map((name) => tree.oid(`${manifestsFolder(cluster, namespace, name)}/${file}`)))
  return names.find((_, at) => found[at] !== undefined)
}
