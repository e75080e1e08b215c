import { customizeName, followerName, pushName } from '../images/names.ts'
import { toPushed } from '../images/pushed.ts'
import { operationAnnotation } from '../kubevirt/manifest.ts'
import type { ImageRound } from '../lifecycles.ts'
import { type ExternalSecret, type ImageView, type Machines, refreshAnnotation } from '../machines.ts'
import type { GoldenImage, Work } from '../schema/golden-image.ts'
import type { Facts } from '../step.ts'
import { type Assessment, failed, reached, troubled, waiting } from './assessment.ts'
import { assessJob, silenceOf } from './job.ts'
import { customized } from './patched.ts'
import { troubleOfDisks, troubleOfSync } from './ready.ts'
import { words } from './words.ts'

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

export type Asked = Pick<Machines, 'claims' | 'lastWords'>

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
    return troubleOfDisks([disk]) ?? waiting(`disk ${build.name} is ${phase}${tens(progress)}`)
  },
  async confirm({ image }, machines, _, { build }) {
    const [claim] = await machines.claims(image.cluster, image.namespace, [build.name])
    if (!claim) return waiting(`the claim of disk ${build.name} is not there yet`)
    return reached(`Made disk ${build.name}`, {
      volumeMode: claim.spec?.volumeMode === 'Block' ? 'Block' : 'Filesystem',
    })
  },
}

/** In steps of ten, so that a long import does not make an event each second. */
function tens(progress: string | undefined): string {
  const value = Number.parseFloat(progress ?? '')
  return Number.isNaN(value) ? '' : ` ${Math.floor(value / 10) * 10}%`
}

/** Every Secret that was to be made is there. One that others have made cannot be looked for: Drover reads no Secret. */
const synced: ImageGoal = {
  assess(view, { image }) {
    for (const { name } of image.secrets) {
      const secret = named(view.secrets, name)
      if (!secret) return absent(view, `ExternalSecret ${name}`)
      const open = openOf(secret)
      if (open) return open
    }
    return reached(
      image.secrets.length === 0 ? 'No secrets are to be made' : `${image.secrets.length} secrets are there`,
    )
  },
}

function openOf({ metadata: { name }, status }: ExternalSecret): Assessment | undefined {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  if (ready?.status === 'True') return undefined
  return ready?.reason === 'SecretSyncedError'
    ? troubled(`ExternalSecret ${name} cannot be synced: ${words(status?.conditions, 'no reason given')}`)
    : waiting(`ExternalSecret ${name} is not synced yet`)
}

const customizes: ImageGoal = {
  assess(view, _, { build, customize }) {
    if (!customize) return reached('Nothing is to be customized')
    const name = customizeName(build)
    return assessJob(view.jobs, name, 'works on the disk') ?? absent(view, `Job ${name}`)
  },
  async confirm({ image }, machines, { jobs }, { build, customize }) {
    if (!customize) return reached('Nothing is to be customized')
    const name = customizeName(build)
    const said = await machines.lastWords(image.cluster, image.namespace, name)
    return silenceOf(jobs, name, said) ?? customized(said, name, `Customized disk ${build.name}`)
  },
}

const pushed: ImageGoal = {
  assess(view, _, { build, push }) {
    if (!push) return reached('The image is not to be pushed')
    const name = pushName(build)
    return assessJob(view.jobs, name, 'pushes the image') ?? absent(view, `Job ${name}`)
  },
  async confirm({ image }, machines, { jobs }, { build, push }) {
    if (!push) return reached('The image is not to be pushed')
    const name = pushName(build)
    const said = await machines.lastWords(image.cluster, image.namespace, name)
    const silence = silenceOf(jobs, name, said)
    if (silence) return silence
    const answer = toPushed(said)
    if (!answer.done) return failed(`Job ${name} failed: ${answer.reason}`)
    return reached(`Pushed ${push.repository}:${push.tag} as ${answer.digest}`, { digest: answer.digest })
  },
}

/** The DataSource stands for the new disk and can be cloned, and whatever follows the tag is there. */
const published: ImageGoal = {
  assess(view, { image, revision, facts }, { build }) {
    const source = named(view.sources, image.dataSource)
    if (!source) return absent(view, `DataSource ${image.dataSource}`)
    if (source.metadata.annotations?.[operationAnnotation] !== image.operation || !shows(view, revision))
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

/** What Synced says is of the commit that was compared last: ours, or a later one once the refresh is over. */
function shows({ application }: ImageView, revision: string | undefined): boolean {
  const { status, revision: compared } = application?.status?.sync ?? {}
  const isRefreshed = application?.metadata.annotations?.[refreshAnnotation] === undefined
  return status === 'Synced' && (compared === revision || isRefreshed)
}

/** When each round on a golden image is over. */
export const imageGoals: Record<ImageRound, ImageGoal> = {
  import: imported,
  secrets: synced,
  customize: customizes,
  push: pushed,
  publish: published,
}
