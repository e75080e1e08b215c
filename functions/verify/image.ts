import { DroverError } from '../../shared/errors.ts'
import { isFurther } from '../../shared/goals/further.ts'
import { imageAttempts, imageGoals } from '../../shared/goals/image.ts'
import { waitUntil } from '../../shared/goals/wait.ts'
import type { GoldenImages } from '../../shared/golden-images.ts'
import { imageApplicationName } from '../../shared/images/names.ts'
import { isImageRound, roundOf } from '../../shared/lifecycles.ts'
import type { Machines } from '../../shared/machines.ts'
import { isPlan } from '../../shared/plan.ts'
import type { GoldenImage } from '../../shared/schema/golden-image.ts'
import { type Facts, type Here, type Outcome, type Run, refused, succeeded } from '../../shared/step.ts'
import type { Settings } from './settings.ts'

export interface ImageClients {
  goldenImages: Pick<GoldenImages, 'watch'>
  machines: Pick<Machines, 'refresh' | 'claims' | 'holders' | 'lastWords'>
}

/** Waits until the cluster shows what a round has made of a golden image, and says what was seen. */
export async function verifyImage(
  run: Run,
  { goldenImages, machines }: ImageClients,
  settings: Pick<Settings, 'rootApplication' | 'graceMilliseconds'>,
  here: Here,
): Promise<Outcome> {
  const round = roundOf(run.lifecycle, run.task)
  const { facts } = run
  const { image, revision } = facts
  if (!round || !isImageRound(round) || !image?.work)
    throw new DroverError('unreadable', `Cannot wait: ${run.task} of run ${run.id} has no image`)
  if (isPlan(run)) return succeeded('Would wait for it', planned(run, image))
  const { work, name } = image
  const aim = { image, revision, facts }
  const { assess, confirm } = imageGoals[round]
  await Promise.all(
    [settings.rootApplication, imageApplicationName(name)].map((application) => machines.refresh(application)),
  )
  const outcome = await waitUntil(
    {
      what: `image ${name}`,
      views: goldenImages.watch(image, here.patience),
      isPast: ({ sources }) =>
        isFurther(
          run,
          sources.find(({ metadata }) => metadata.name === image.dataSource),
        ),
      assess: (view) => assess(view, aim, work),
      confirm: confirm && ((view) => confirm(aim, machines, view, work)),
    },
    settings,
    here,
  )
  if (outcome.kind !== 'refused') return outcome
  return refused(`Cannot ${imageAttempts[round]} image ${name} on ${image.cluster}: ${outcome.message}`)
}

/** What would follow, once the last round is planned. */
function planned({ task, facts }: Run, { dataSource, namespace, current, older, keep }: GoldenImage): Facts {
  if (task !== 'publish.verify' || !current) return { report: facts.report ?? [] }
  const gone = older.slice(keep).filter(({ kept }) => !kept)
  return {
    report: [
      ...(facts.report ?? []),
      `DataSource ${namespace}/${dataSource} stands for disk ${current.name}`,
      ...(gone.length > 0 ? [`removed: ${gone.map(({ name }) => name).join(', ')}`] : []),
    ],
  }
}
