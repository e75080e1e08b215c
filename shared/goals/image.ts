import type { ImageView } from '../golden-images.ts'
import { customizeName, followerName, pushName } from '../images/names.ts'
import { toPushed } from '../images/pushed.ts'
import type { ImageRound } from '../lifecycles.ts'
import type { Condition, Machines } from '../machines.ts'
import type { Build, GoldenImage, Work } from '../schema/golden-image.ts'
import type { Facts } from '../step.ts'
import { type Assessment, failed, reached, waiting } from './assessment.ts'
import { assessJob, silenceOf } from './job.ts'
import { customized } from './patched.ts'
import { showsCommit } from './shows-commit.ts'
import { heldBy } from './stopped.ts'
import { troubleOfDisks, troubleOfSecrets, troubleOfSync } from './trouble.ts'
import { percent } from './words.ts'

/** What a round on a golden image is to bring about: a definition as of a commit. */
export interface ImageAim {
  image: GoldenImage
  revision: string | undefined
  facts: Facts
}

/** When a round on a golden image is over. */
export interface ImageGoal {
  assess(view: ImageView, aim: ImageAim, work: Work): Assessment
  /** Asks the cluster once more when the view shows the goal; what it answers counts. */
  confirm?(aim: ImageAim, machines: Asked, view: ImageView, work: Work): Promise<Assessment>
}

export type Asked = Pick<Machines, 'claims' | 'holders' | 'lastWords'>

const named = <O extends { metadata: { name: string } }>(objects: readonly O[], name: string) =>
  objects.find(({ metadata }) => metadata.name === name)

const absent = (view: ImageView, what: string) => troubleOfSync(view) ?? waiting(`${what} is not there yet`)

/** The disk is filled; how it is mounted is what the Jobs need to know. */
const imported: ImageGoal = {
  assess(view, _, { build }) {
    const disk = named(view.disks, build.name)
    if (!disk) return absent(view, `disk ${build.name}`)
    const { phase = 'Pending', progress } = disk.status ?? {}
    if (phase === 'Succeeded') return reached(`Made disk ${build.name}`)
    return troubleOfDisks([disk]) ?? waiting(`disk ${build.name} is ${phase}${percent(progress)}`)
  },
  async confirm({ image }, machines, _, { build }) {
    const [claim] = await machines.claims(image.cluster, image.namespace, [build.name])
    if (!claim) return waiting(`the claim of disk ${build.name} is not there yet`)
    return reached(`Made disk ${build.name}`, {
      volumeMode: claim.spec?.volumeMode === 'Block' ? 'Block' : 'Filesystem',
    })
  },
}

/** Every Secret that was to be made is there. One that others have made cannot be looked for: Drover reads no Secret. */
const synced: ImageGoal = {
  assess(view, { image: { secrets } }) {
    const made = secrets.map(({ name }) => ({ name, found: named(view.secrets, name) }))
    const missing = made.find(({ found }) => !found)
    if (missing) return absent(view, `ExternalSecret ${missing.name}`)
    const trouble = troubleOfSecrets({ secrets: made.flatMap(({ found }) => found ?? []) })
    if (trouble) return trouble
    const open = made.find(({ found }) => !found?.status?.conditions?.some(isReady))
    if (open) return waiting(`ExternalSecret ${open.name} is not synced yet`)
    return reached(secrets.length === 0 ? 'No secrets are to be made' : `${secrets.length} secrets are there`)
  },
  /** The Job that comes next writes to the disk: whoever filled it must have let go of it. */
  async confirm(aim, machines, view, work) {
    const { cluster, namespace } = aim.image
    return (await heldBy(machines, cluster, namespace, [work.build.name])) ?? synced.assess(view, aim, work)
  },
}

const isReady = ({ type, status }: Condition) => type === 'Ready' && status === 'True'

/** A Job of the run has worked on the disk, where it is wanted, and its pod has said what came of it. */
const jobDone = <W>(
  wanted: (work: Work) => W | undefined,
  { unwanted, nameOf, does }: { unwanted: string; nameOf(build: Build): string; does: string },
  outcomeOf: (said: string, job: string, build: Build, wanted: W) => Assessment,
): ImageGoal => ({
  assess(view, _, work) {
    if (wanted(work) === undefined) return reached(unwanted)
    const name = nameOf(work.build)
    return assessJob(view.jobs, name, does) ?? absent(view, `Job ${name}`)
  },
  async confirm({ image }, machines, { jobs }, work) {
    const asked = wanted(work)
    if (asked === undefined) return reached(unwanted)
    const name = nameOf(work.build)
    const said = await machines.lastWords(image.cluster, image.namespace, name)
    return silenceOf(jobs, name, said) ?? outcomeOf(said, name, work.build, asked)
  },
})

const customizes = jobDone(
  ({ customize }) => customize,
  { unwanted: 'Nothing is to be customized', nameOf: customizeName, does: 'works on the disk' },
  (said, job, build) => customized(said, job, `Customized disk ${build.name}`),
)

const pushed = jobDone(
  ({ push }) => push,
  { unwanted: 'The image is not to be pushed', nameOf: pushName, does: 'pushes the image' },
  (said, job, _, push) => {
    const answer = toPushed(said)
    if (!answer.done) return failed(`Job ${job} failed: ${answer.reason}`)
    return reached(`Pushed ${push.repository}:${push.tag} as ${answer.digest}`, { digest: answer.digest })
  },
)

/** The DataSource stands for the new disk and can be cloned, and whatever follows the tag is there. */
const published: ImageGoal = {
  assess(view, { image, revision, facts }, { build }) {
    const source = named(view.sources, image.dataSource)
    if (!source) return absent(view, `DataSource ${image.dataSource}`)
    if (!showsCommit(view.application, source, image.operation, revision))
      return troubleOfSync(view) ?? waiting('the cluster does not show this commit yet')
    const ready = source.status?.conditions?.find(({ type }) => type === 'Ready')
    const { pvc } = source.status?.source ?? {}
    if (ready?.status !== 'True' || pvc?.name !== build.name)
      return waiting(`DataSource ${image.dataSource} is not ready: ${ready?.message ?? 'CDI has not looked at it'}`)
    const cron = followerName(image.dataSource)
    if (image.follow && !named(view.crons, cron)) return absent(view, `DataImportCron ${cron}`)
    const where = `${image.namespace}/${image.dataSource} on ${image.cluster}`
    const message = `DataSource ${where} stands for disk ${build.name}`
    const { pushed } = image.current ?? {}
    const rest = pushed ? [`${pushed.repository}:${pushed.tag} is ${pushed.digest}`] : []
    return reached(message, { report: [message, ...rest, ...(facts.report ?? [])] })
  },
}

/** When each round on a golden image is over. */
export const imageGoals: Record<ImageRound, ImageGoal> = {
  import: imported,
  secrets: synced,
  customize: customizes,
  push: pushed,
  publish: published,
}

/** What a round that did not reach its goal could not do, for a sentence: "Cannot make the disk of image rhel9". */
export const imageAttempts: Record<ImageRound, string> = {
  import: 'make the disk of',
  secrets: 'make the secrets of',
  customize: 'customize the disk of',
  push: 'push',
  publish: 'publish',
}
