import type { Fleet } from '../../shared/fleet.ts'
import type { GoldenImages, ImageView } from '../../shared/golden-images.ts'
import { buildName, imageApplicationName } from '../../shared/images/names.ts'
import type { Machines } from '../../shared/machines.ts'
import { imageFile } from '../../shared/paths.ts'
import { requestOf } from '../../shared/request.ts'
import type { Here, Run } from '../../shared/step.ts'
import { awaitNone } from './await-none.ts'

export interface ImageMeans {
  fleet: Pick<Fleet, 'head' | 'find'>
  goldenImages: Pick<GoldenImages, 'watch'>
  machines: Pick<Machines, 'refresh' | 'settle'>
  rootApplication: string
}

/**
 * Undefined once the cluster has followed the undo of a run on a golden image: nothing that the run made is left, and the
 * DataSource stands for what it stood for before; else what is missing. The disk of the run was not protected yet, so Argo
 * CD removes it.
 */
export async function awaitImageBack(run: Run, means: ImageMeans, here: Here): Promise<string | undefined> {
  const { name, cluster } = run.facts
  if (name === undefined || cluster === undefined) return undefined
  // Before its first disk is in Git a run has shown the cluster nothing; the cluster may be none that there is.
  if ((await means.fleet.find(run.id, 'import.commit', run.horizon)) === undefined) return undefined
  const isThere = (await (await means.fleet.head()).oid(imageFile(name))) !== undefined
  const applications = [means.rootApplication, ...(isThere ? [imageApplicationName(name)] : [])]
  // Until it has seen the undo, Argo CD may still be about to make what is not there yet.
  for (const application of applications)
    if (!(await means.machines.settle(application, here.patience)))
      return `Argo CD has not looked at Git since, for image ${name}`
  const build = buildName(name, run.id)
  const views = means.goldenImages.watch({ name, cluster, namespace: run.request.namespace }, here.patience)
  const leftOf = (view: ImageView) => leftIn(view, build, isThere)
  return awaitNone(views, leftOf, (left) => `${cluster} still has ${left} of image ${name}`, here)
}

function leftIn({ application, disks, jobs, sources, secrets }: ImageView, build: string, isThere: boolean): string[] {
  const ofRun = [...disks, ...jobs].map(({ metadata }) => metadata.name).filter((one) => one.startsWith(build))
  const pointing = sources.filter(({ spec }) => spec?.source?.['pvc']?.name === build)
  const rest = isThere
    ? []
    : [...(application ? ['its Application'] : []), ...secrets.map(({ metadata }) => metadata.name)]
  return [...ofRun, ...pointing.map(({ metadata }) => `DataSource ${metadata.name}`), ...rest]
}

/** What no undo takes back, for people. What the run has pushed is asked of Git's history: its record is gone by then. */
export async function remainsOf(run: Run, fleet: Pick<Fleet, 'find'>): Promise<string> {
  const { push } = requestOf(run, 'golden-image')
  if (!push || (await fleet.find(run.id, 'push.commit', run.horizon)) === undefined) return ''
  const { digest } = run.facts
  const what = digest === undefined ? 'What may have been pushed' : `The image ${digest} that was pushed`
  return `. ${what} stays in the registry, as ${push.repository}:${push.tag}`
}
