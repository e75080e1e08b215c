import type { Tree } from '../../shared/fleet.ts'
import { type GoldenImages, noDisk } from '../../shared/golden-images.ts'
import { disksOf, rootDiskName } from '../../shared/kubevirt/manifest.ts'
import { snapshotApi } from '../../shared/kubevirt/restoring.ts'
import { type RoundName, roundsOf } from '../../shared/lifecycles.ts'
import { type Machines, placeOf, type SnapshotSize } from '../../shared/machines.ts'
import { templateFile } from '../../shared/paths.ts'
import { bytes, wholeMebibytes } from '../../shared/quantity.ts'
import { requestOf } from '../../shared/request.ts'
import type { Definition } from '../../shared/schema/definition.ts'
import type { Image } from '../../shared/schema/machine.ts'
import { readChecked } from '../../shared/schema/read.ts'
import { listed, show } from '../../shared/schema/show.ts'
import { Template } from '../../shared/schema/template.ts'
import {
  lackingVolumes,
  named,
  newDisksProblem,
  otherVolumes,
  restoreProblem,
  unknownSnapshot,
} from '../../shared/snapshots.ts'
import { type Facts, type Outcome, type Run, refused } from '../../shared/step.ts'

/** What a run is furnished from. */
export interface Sources {
  machines: Machines
  goldenImages: Pick<GoldenImages, 'version'>
  tree: Tree
}

/** Adds what a run needs to know beside the machine itself, by its rounds: of a new root disk the image, of a new machine the disks of its snapshot. */
export async function furnish(run: Run, definition: Definition, found: Outcome, sources: Sources): Promise<Outcome> {
  if (found.kind !== 'succeeded') return found
  const [furnished = nothing] = roundsOf(run.lifecycle).flatMap((round) => furnishing[round] ?? [])
  const more = await furnished(run, definition, sources, found.facts ?? {})
  if (typeof more === 'string') return refused(`Cannot do the ${run.lifecycle} of ${placeOf(definition)}: ${more}`)
  return { ...found, facts: { ...found.facts, ...more } }
}

type Furnishing = (run: Run, definition: Definition, sources: Sources, facts: Facts) => Promise<Facts | string>

const nothing: Furnishing = async () => ({})

const noRestores = (cluster: string) =>
  `cluster ${cluster} serves no VirtualMachineRestore of ${snapshotApi}, without which a disk cannot be put back: wanted KubeVirt 1.4 or newer there, with snapshots turned on`

const unusable = (snapshot: string) =>
  `VirtualMachineSnapshot ${show(snapshot)} cannot be used: it is not there any more, or not ready`

/** How the root disk is mounted by what changes it, and how it is put back where that fails. */
const diskFacts: Furnishing = async (_, definition, { machines }) => {
  const { cluster, namespace } = definition
  const restoring = await machines.restoring(cluster)
  if (!restoring) return noRestores(cluster)
  const [claim] = await machines.claims(cluster, namespace, [rootDiskName(definition)])
  if (!claim) return `the claim ${rootDiskName(definition)} of its root disk is not there`
  return { restoring, volumeMode: claim.spec?.volumeMode === 'Block' ? 'Block' : 'Filesystem' }
}

/** The latest golden image: the one that the request names, or that of the machine's template as it is now. */
const imageFacts: Furnishing = async (run, definition, { goldenImages, tree }) => {
  const nextImage = requestOf(run, 'repave').image ?? (await imageOf(tree, definition))
  if (typeof nextImage === 'string') return nextImage
  if (!('dataSource' in nextImage)) return { nextImage }
  const imageVersion = await goldenImages.version(definition.cluster, nextImage.namespace, nextImage.dataSource)
  return imageVersion === undefined ? noDisk(nextImage) : { nextImage, imageVersion }
}

async function imageOf(tree: Tree, { template }: Definition): Promise<Image | string> {
  const found = await readChecked(tree, templateFile(template), Template)
  if (!found) return `template ${show(template)} is gone, wanted image to say what to repave from`
  return found.ok ? found.value.image : found.problems.join('; ')
}

const cloneFacts: Furnishing = async (_, definition, { machines }, { origin }) => {
  if (!origin) return {}
  const { cluster, namespace } = definition
  const snapshot = named(definition, origin.snapshot)
  const volumes = snapshot ? await machines.volumesOf(cluster, namespace, snapshot.name) : {}
  const then = snapshot && (await machines.sizeIn(cluster, namespace, snapshot.name))
  const others = otherVolumes(definition, origin.snapshot, volumes)
  if (others !== undefined || !then) return others ?? unusable(origin.snapshot)
  const grown = grownSince(definition, then).map(({ volume }) => [volume, wholeMebibytes(then.claims[volume] ?? '0')])
  return { origin: { ...origin, volumes, ...(grown.length > 0 && { sizes: Object.fromEntries(grown) }) } }
}

/** A machine is not turned off for a restore that cannot be. */
const restoreFacts: Furnishing = async (run, definition, { machines }) => {
  const { snapshot: asked } = requestOf(run, 'restore')
  const { cluster, namespace } = definition
  const found = named(definition, asked)
  if (!found) return unknownSnapshot(definition, asked)
  const restoring = await machines.restoring(cluster)
  if (!restoring) return noRestores(cluster)
  const canInPlace = restoring === 'in place'
  const otherDisks = canInPlace ? restoreProblem(definition, asked) : undefined
  const volumes = await machines.volumesOf(cluster, namespace, found.name)
  if (canInPlace && otherDisks === undefined) {
    const then = await machines.sizeIn(cluster, namespace, found.name)
    if (!then) return unusable(found.name)
    // KubeVirt restores what a snapshot has, and leaves the other disks as they are.
    const lacking = lackingVolumes(definition, found.name, volumes)
    if (lacking !== undefined) return lacking
    const waiting = await waitingToGrow(definition, then, machines)
    if (isSizedAlike(definition, then) && waiting.length === 0) return { restoring }
    if (waiting.length > 0 && !definition.running)
      return `${listed(waiting)} has grown since, and can do so again only once it starts: wanted a machine that runs`
  }
  const problem = newDisksProblem(definition, found, volumes)
  if (problem !== undefined) return otherDisks ?? problem
  return { restoring: 'new disks', restoredFrom: { snapshot: found.name, volumes } }
}

/**
 * True where a restore in place brings no instance type or preference back that the machine has not any more. It puts the whole spec back,
 * as KubeVirt's own: Argo CD could not take such a field away, and with an instance type KubeVirt refuses CPU and memory beside it.
 */
const isSizedAlike = ({ size }: Definition, then: SnapshotSize): boolean =>
  then.instancetype === 'instancetype' in size && then.preference === (size.preference !== undefined)

/** The disks that were smaller when a snapshot was taken. On a file system a claim is larger than its disk. */
const grownSince = (definition: Definition, { claims }: SnapshotSize) =>
  disksOf(definition).filter(({ volume, size }) => bytes(claims[volume] ?? size) < bytes(size))

/**
 * The disks that have grown since, where storage binds a claim only once a pod uses it. In place a disk comes back as small as it was, and
 * until it is bound no claim can grow: with such a one Argo CD could apply neither the machine nor what an undo makes of it. New disks are
 * given up by an undo; those of a machine that stays off would be bound each by itself.
 */
async function waitingToGrow(definition: Definition, then: SnapshotSize, machines: Machines): Promise<string[]> {
  const { cluster, namespace } = definition
  const grown = grownSince(definition, then)
  const claims = await machines.claims(
    cluster,
    namespace,
    grown.map(({ claim }) => claim),
  )
  const classes = new Set(claims.flatMap(({ spec }) => spec?.storageClassName ?? []))
  const waiting = await Promise.all([...classes].map((name) => machines.waitsForPod(cluster, name)))
  return waiting.includes(true) ? grown.map(({ name }) => name) : []
}

const furnishing: Partial<Record<RoundName, Furnishing>> = {
  image: imageFacts,
  patch: diskFacts,
  create: cloneFacts,
  restore: restoreFacts,
}
