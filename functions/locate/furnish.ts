import { isUnfilled } from '../../shared/claims.ts'
import type { Tree } from '../../shared/fleet.ts'
import type { Images } from '../../shared/golden-images.ts'
import { allClaims, claimOf, rootDiskName } from '../../shared/kubevirt/manifest.ts'
import { snapshotApi } from '../../shared/kubevirt/restoring.ts'
import { type RoundName, roundsOf } from '../../shared/lifecycles.ts'
import { type Claim, type MachineAddress, type Machines, placeOf, type SnapshotSize } from '../../shared/machines.ts'
import { templateFile } from '../../shared/paths.ts'
import { bytes } from '../../shared/quantity.ts'
import { requestOf } from '../../shared/request.ts'
import type { Definition } from '../../shared/schema/definition.ts'
import type { Image } from '../../shared/schema/machine.ts'
import { readChecked } from '../../shared/schema/read.ts'
import { listed, show } from '../../shared/schema/show.ts'
import { Template } from '../../shared/schema/template.ts'
import { lackingVolumes, named, newDisksProblem, restoreProblem, unknownSnapshot } from '../../shared/snapshots.ts'
import { type Facts, type Outcome, type Run, refused } from '../../shared/step.ts'

interface Sources {
  machines: Machines
  images: Images
  tree: Tree
}

interface Held {
  address: MachineAddress
  definition: Definition
}

/** Adds what a run needs to know beside the machine itself, by its rounds: of a new root disk the image, of a new machine the disks of its snapshot. */
export async function furnish(run: Run, held: Held, found: Outcome, sources: Sources): Promise<Outcome> {
  if (found.kind !== 'succeeded') return found
  const [furnished = nothing] = roundsOf(run.lifecycle).flatMap((round) => furnishing[round] ?? [])
  const more = await furnished(run, held, sources, found.facts ?? {})
  if (typeof more === 'string') return refused(`Cannot do the ${run.lifecycle} of ${placeOf(held.address)}: ${more}`)
  return { ...found, facts: { ...found.facts, ...more } }
}

type Furnishing = (run: Run, held: Held, sources: Sources, facts: Facts) => Promise<Facts | string>

const nothing: Furnishing = async () => ({})

const noRestores = (cluster: string) =>
  `cluster ${cluster} serves no VirtualMachineRestore of ${snapshotApi}, without which a disk cannot be put back: wanted KubeVirt 1.4 or newer there, with snapshots turned on`

const unusable = (snapshot: string) =>
  `VirtualMachineSnapshot ${show(snapshot)} cannot be used: it is not there any more, or not ready`

/** How the root disk is mounted by what changes it, and how it is put back where that fails. */
const diskFacts: Furnishing = async (_, { definition }, { machines }) => {
  const { cluster, namespace } = definition
  const restoring = await machines.restoring(cluster)
  if (!restoring) return noRestores(cluster)
  const [claim] = await machines.claims(cluster, namespace, [rootDiskName(definition)])
  if (!claim) return `the claim ${rootDiskName(definition)} of its root disk is not there`
  return { restoring, volumeMode: claim.spec?.volumeMode === 'Block' ? 'Block' : 'Filesystem' }
}

/** The latest golden image: the one that the request names, or that of the machine's template as it is now. */
const imageFacts: Furnishing = async (run, { address, definition }, { images, tree }) => {
  const nextImage = requestOf(run, 'repave').image ?? (await imageOf(tree, definition))
  if (typeof nextImage === 'string') return nextImage
  if (!('dataSource' in nextImage)) return { nextImage }
  const { namespace, dataSource } = nextImage
  const imageVersion = await images.version(address.cluster, namespace, dataSource)
  return imageVersion === undefined
    ? `DataSource ${namespace}/${dataSource} stands for no disk there`
    : { nextImage, imageVersion }
}

async function imageOf(tree: Tree, { template }: Definition): Promise<Image | string> {
  const found = await readChecked(tree, templateFile(template), Template)
  if (!found) return `template ${show(template)} is gone, wanted image to say what to repave from`
  return found.ok ? found.value.image : found.problems.join('; ')
}

const cloneFacts: Furnishing = async (_, { address, definition }, { machines }, { origin }) => {
  if (!origin) return {}
  const snapshot = named(definition, origin.snapshot)
  const volumes = snapshot ? await machines.volumesOf(address.cluster, address.namespace, snapshot.name) : {}
  return lackingVolumes(definition, origin.snapshot, volumes) ?? { origin: { ...origin, volumes } }
}

/** A machine is not turned off for a restore that cannot be. */
const restoreFacts: Furnishing = async (run, { definition }, { machines }) => {
  const { snapshot: asked } = requestOf(run, 'restore')
  const { cluster, namespace } = definition
  const found = named(definition, asked)
  if (!found) return unknownSnapshot(definition, asked)
  const restoring = await machines.restoring(cluster)
  if (!restoring) return noRestores(cluster)
  const canInPlace = restoring === 'in place'
  const otherDisks = canInPlace ? restoreProblem(definition, asked) : undefined
  if (canInPlace && otherDisks === undefined) {
    const then = await machines.sizeIn(cluster, namespace, found.name)
    if (!then) return unusable(found.name)
    if (isSizedAlike(definition, then)) return { restoring }
  }
  const volumes = await machines.volumesOf(cluster, namespace, found.name)
  const problem = newDisksProblem(definition, found, volumes)
  if (problem !== undefined) return otherDisks ?? problem
  return { restoring: 'new disks', restoredFrom: { snapshot: found.name, volumes } }
}

/** A machine is not changed for a growth that the cluster refuses: of a claim that is not bound, or to less than it asks for. */
const resizeFacts: Furnishing = async (run, { definition }, sources) => {
  const { cluster, namespace } = definition
  const { grow = {}, detach = [] } = requestOf(run, 'resize')
  const { machines } = sources
  const disks = [
    { ...definition.rootDisk, name: 'root', claim: rootDiskName(definition) },
    ...definition.disks.map((disk) => ({ ...disk, claim: claimOf(definition, disk) })),
  ].filter(({ name, size }) => grow[name] !== undefined && bytes(grow[name]) > bytes(size))
  const names = disks.map(({ claim }) => claim)
  const live = names.length === 0 ? [] : await machines.claims(cluster, namespace, names)
  const problems = disks.flatMap(({ name, claim }) =>
    growthProblem(
      name,
      grow[name] ?? '',
      claim,
      live.find(({ metadata }) => metadata.name === claim),
    ),
  )
  const leaving = definition.disks.filter(({ name }) => detach.includes(name)).map((disk) => claimOf(definition, disk))
  const unfilled = leaving.length === 0 ? undefined : await unfilledProblem(definition, leaving, sources)
  problems.push(...(unfilled === undefined ? [] : [unfilled]))
  return problems.length > 0 ? problems.join('; ') : {}
}

/** On a file system CDI makes a claim larger than its disk, and no claim shrinks to what is asked for. */
function growthProblem(disk: string, wanted: string, name: string, claim: Claim | undefined): string[] {
  const asked = `grow.${disk} is ${show(wanted)}`
  if (!claim) return [`${asked}, and its claim ${name} is not there`]
  const { phase = 'Pending' } = claim.status ?? {}
  if (phase !== 'Bound') return [`${asked}, and its claim ${name} is ${phase}: wanted one that is bound`]
  const most = claim.spec?.resources?.requests?.storage ?? '0'
  if (bytes(wanted) >= bytes(most)) return []
  return [`${asked}, wanted at least ${show(most)}: its claim ${name} asks for that already`]
}

/** A disk that a restore has made may be filled only when the machine starts, and until then its data is in a snapshot alone. */
async function unfilledProblem({ cluster, namespace }: Definition, names: string[], { machines }: Sources) {
  const live = await machines.claims(cluster, namespace, names)
  const unfilled = live.filter(isUnfilled)
  if (unfilled.length === 0) return undefined
  const disks = listed(unfilled.map(({ metadata }) => metadata.name))
  return `its restored disks are not filled yet from their snapshot, which would go: ${disks}, wanted a machine that was started since`
}

/** What is still to be filled from a snapshot keeps it. */
const snapshotFacts: Furnishing = async (run, { definition }, sources) => {
  if (requestOf(run, 'snapshot').action !== 'expire') return {}
  return (await unfilledProblem(definition, allClaims(definition), sources)) ?? {}
}

/** The snapshots of a machine go with it, and its data stays: but for a disk that the request names. */
const removeFacts: Furnishing = async (run, { definition }, sources) => {
  const { destroy = [] } = requestOf(run, 'deprovision')
  const stay = definition.disks.filter(({ name }) => !destroy.includes(name)).map((disk) => claimOf(definition, disk))
  return (await unfilledProblem(definition, stay, sources)) ?? {}
}

/**
 * True where a restore in place brings no instance type or preference back that the machine has not any more. It puts the whole spec back,
 * as KubeVirt's own: Argo CD could not take such a field away, and with an instance type KubeVirt refuses CPU and memory beside it.
 */
const isSizedAlike = ({ size }: Definition, then: SnapshotSize): boolean =>
  then.instancetype === 'instancetype' in size && then.preference === (size.preference !== undefined)

const furnishing: Partial<Record<RoundName, Furnishing>> = {
  image: imageFacts,
  patch: diskFacts,
  create: cloneFacts,
  restore: restoreFacts,
  resize: resizeFacts,
  snapshot: snapshotFacts,
  remove: removeFacts,
}
