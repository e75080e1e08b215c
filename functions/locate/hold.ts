import { type Fleet, nothing, type Tree } from '../../shared/fleet.ts'
import { type GoldenImages, noDisk } from '../../shared/golden-images.ts'
import type { Hub } from '../../shared/hub.ts'
import { imageLabel } from '../../shared/images/names.ts'
import { recorded, trailersOf } from '../../shared/ledger.ts'
import { heldSentence, holderOf, toLock } from '../../shared/lock.ts'
import { placeOf } from '../../shared/machines.ts'
import { imageFile, imageLockFile } from '../../shared/paths.ts'
import { requestOf } from '../../shared/request.ts'
import { GoldenImage } from '../../shared/schema/golden-image.ts'
import { readChecked } from '../../shared/schema/read.ts'
import type { ImageRequest } from '../../shared/schema/requests.ts'
import { show } from '../../shared/schema/show.ts'
import { standing, unlessAnother } from '../../shared/standing.ts'
import { type Facts, ignored, notYet, type Outcome, type Run, refused, succeeded } from '../../shared/step.ts'

export interface HoldClients {
  hub: Pick<Hub, 'managedCluster'>
  goldenImages: Pick<GoldenImages, 'dataSource' | 'version'>
}

/**
 * Holds a golden image, which need not be there yet: from here on no other run makes one of that name. Then looks at the
 * cluster: it takes no DataSource over that is not the image's.
 */
export async function hold(run: Run, fleet: Fleet, clients: HoldClients): Promise<Outcome> {
  const request = requestOf(run, 'golden-image')
  const { image: name, namespace, cluster } = request
  const { value } = await fleet.transact<Outcome | Facts>({
    subject: `Hold image ${name} for run ${run.id}`,
    trailers: trailersOf(run),
    decide: async (tree) => {
      const before = await standing(tree, run, fleet)
      if (before === 'ended') return nothing(ignored(`Run ${run.id} has ended: it holds nothing again`))
      if (before) return nothing(unlessAnother(before, run) ?? before.facts)
      const problem = await problemOf(tree, request)
      if (problem !== undefined) return nothing(refused(`Cannot hold image ${name}: ${problem}`))
      const path = imageLockFile(name)
      const holder = await holderOf(tree, path, run.id)
      if (holder && request.wait) return nothing(notYet(heldSentence(`image ${name}`, holder)))
      if (holder) return nothing(refused(`Cannot hold the image: ${heldSentence(`image ${name}`, holder)}`))
      const facts = { ...run.facts, name, cluster }
      return { changes: await recorded(tree, run, facts, [{ path, content: toLock(run) }]), value: facts }
    },
  })
  if ('kind' in value) return value
  const looked = await look(request, clients)
  const where = placeOf({ cluster, namespace, name })
  if (typeof looked === 'string') return refused(`Cannot make image ${where}: ${looked}`)
  return succeeded(`Hold image ${where}`, { ...value, ...looked })
}

/** Why the image is another one than the request means; what machines know it by does not change either. */
async function problemOf(
  tree: Tree,
  { image, namespace, cluster, publish }: ImageRequest,
): Promise<string | undefined> {
  const read = await readChecked(tree, imageFile(image), GoldenImage)
  if (!read) return undefined
  if (!read.ok) return read.problems.join('; ')
  const { value } = read
  const wrong = [
    ...(value.name === image ? [] : [`${imageFile(image)} is the definition of another image`]),
    ...(value.namespace === namespace ? [] : ['there is an image of that name already, in another namespace']),
    ...(value.cluster === cluster ? [] : [`cluster is ${show(cluster)}, wanted ${show(value.cluster)}, where it is`]),
    ...(value.dataSource === (publish?.dataSource ?? image)
      ? []
      : [
          `publish.dataSource is ${show(publish?.dataSource ?? image)}, wanted ${show(value.dataSource)}, as it is called`,
        ]),
  ]
  return wrong.length === 0 ? undefined : wrong.join('; ')
}

async function look(request: ImageRequest, { hub, goldenImages }: HoldClients): Promise<Facts | string> {
  const { image, namespace, cluster, source, publish: { dataSource = image } = {} } = request
  const found = await hub.managedCluster(cluster)
  if (!found?.accepted)
    return `cluster is ${show(cluster)}, wanted a ManagedCluster ${found ? 'that is accepted' : 'of the hub'}`
  const there = await goldenImages.dataSource(cluster, namespace, dataSource)
  if (there && there.metadata.labels?.[imageLabel] !== image)
    return `DataSource ${namespace}/${dataSource} is there already and not this image's`
  if (!('dataSource' in source)) return {}
  const imageVersion = await goldenImages.version(cluster, source.namespace, source.dataSource)
  return imageVersion === undefined ? noDisk(source) : { imageVersion }
}
