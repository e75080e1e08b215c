import { customizationOf } from '../../../shared/disk-customization.ts'
import { DroverError } from '../../../shared/errors.ts'
import type { Tree } from '../../../shared/fleet.ts'
import type { Guestfs } from '../../../shared/images/customize-job.ts'
import { buildName } from '../../../shared/images/names.ts'
import { digestOf } from '../../../shared/images/oci-image.ts'
import type { ImageRound } from '../../../shared/lifecycles.ts'
import { requestOf } from '../../../shared/request.ts'
import type { Build, GoldenImage, Work } from '../../../shared/schema/golden-image.ts'
import type { Run } from '../../../shared/step.ts'
import type { Unfit } from '../edit.ts'

/** What an edit of an image may look at beside the run. */
interface Given {
  tree: Tree
  guestfs: Guestfs
  pushImage?: string | undefined
}

/** What a round changes of a golden image: pure, like an edit of a machine. There is no image before the first one is made. */
type ImageEdit = (
  image: GoldenImage | undefined,
  run: Run,
  given: Given,
) => GoldenImage | Unfit | Promise<GoldenImage | Unfit>

const keptImages = 3

const asked = (run: Run) => requestOf(run, 'golden-image')

/** The disk, beside those that there are. Nothing of what machines use changes yet. */
const importDisk: ImageEdit = async (image, run, { tree, pushImage }) => {
  const request = asked(run)
  // Said before an hour has gone into the disk.
  if (request.push && pushImage === undefined) return { problems: [noPushImage] }
  const customization = await customizationOf(request, tree)
  if (customization && 'problems' in customization) return customization
  const { image: name, namespace, cluster, publish: { dataSource = name, instancetype, preference } = {} } = request
  const left = Math.floor((Date.parse(run.deadline) - Date.parse(run.since)) / 1000)
  const build: Build = {
    name: buildName(name, run.id),
    run: run.id,
    requester: run.requester,
    ...(request.ticket && { ticket: request.ticket }),
    since: run.since,
    source: request.source,
    ...(run.facts.imageVersion && { version: run.facts.imageVersion }),
    size: request.size,
    ...(request.storageClass && { storageClass: request.storageClass }),
    ...(instancetype && { instancetype }),
    ...(preference && { preference }),
    ...(customization && { customization: digestOf(JSON.stringify(customization)) }),
  }
  const work: Work = { build, deadlineSeconds: Math.max(60, left) }
  const before = image ?? {
    name,
    namespace,
    cluster,
    operation: '',
    dataSource,
    keep: keptImages,
    secrets: [],
    older: [],
  }
  return { ...before, work }
}

const noPushImage = 'push is asked for, and DROVER_PUSH_IMAGE does not say which container image pushes'

/** The Secrets that are to be made, beside those that stay. */
const secrets: ImageEdit = (image, run) => {
  const known = begun(image, run)
  const { secrets: more = [] } = asked(run)
  const others = known.secrets.filter(({ name }) => !more.some((one) => one.name === name))
  return { ...known, secrets: [...others, ...more] }
}

/** Has the disk customized by a Job, where the request says how. */
const customize: ImageEdit = async (image, run, { tree, guestfs }) => {
  const known = begun(image, run)
  const customization = await customizationOf(asked(run), tree)
  if (!customization) return known
  if ('problems' in customization) return customization
  return withWork(known, run, { customize: { ...guestfs, sealed: true, customization } })
}

/** Has the disk pushed by a Job, where the request says where to. */
const push: ImageEdit = (image, run, { pushImage }) => {
  const known = begun(image, run)
  const { push: wanted } = asked(run)
  if (!wanted) return known
  return pushImage === undefined
    ? { problems: [noPushImage] }
    : withWork(known, run, { push: { ...wanted, image: pushImage } })
}

/** How the claim is mounted is known once it is there. */
const withWork = (image: ReturnType<typeof begun>, { facts }: Run, more: Partial<Work>): GoldenImage => ({
  ...image,
  work: { ...image.work, ...(facts.volumeMode && { volumeMode: facts.volumeMode }), ...more },
})

/** The new disk takes the place of the latest, which becomes the first of the old ones. */
const publish: ImageEdit = (image, run) => {
  const { current, older, work, follow: _, ...rest } = begun(image, run)
  const { publish: { follow, keep = keptImages } = {}, push: target } = asked(run)
  const { repository, tag } = target ?? {}
  const { digest } = run.facts
  const isPushed = repository !== undefined && tag !== undefined && digest !== undefined
  return {
    ...rest,
    keep,
    ...(follow && isPushed && { follow: { ...follow, repository, tag } }),
    current: { ...work.build, ...(isPushed && { pushed: { repository, tag, digest } }) },
    older: [...(current ? [current] : []), ...older],
    work,
  }
}

function begun(image: GoldenImage | undefined, { id }: Run): GoldenImage & { work: Work } {
  const work = image?.work
  if (!image || work?.build.run !== id)
    throw new DroverError('unreadable', `Cannot build: run ${id} has no disk in Git yet`)
  return { ...image, work }
}

/** The edit of each round on a golden image. */
export const imageEdits: Record<ImageRound, ImageEdit> = { import: importDisk, secrets, customize, push, publish }
