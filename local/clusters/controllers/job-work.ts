import type { Cluster } from '../cluster.ts'
import { type Condition, timestamp, withCondition } from '../object.ts'
import type { Claim, Pod } from './claim-types.ts'
import { contentOf, withContent } from './content.ts'
import { onlyReads, wordsOf } from './job-tools.ts'
import { failsWithAnnotation, type Job, type Perform, saysAnnotation, type Work } from './job-types.ts'

/**
 * Ends a Job's pod as its work ends, and leaves its mark on each disk that it could write to: `rhel9+patch`. Work that
 * failed leaves `rhel9+patch(failed)`, and work on a disk that another pod has in use tears it: `torn by patch`.
 */
export function finish(
  cluster: Cluster,
  pod: Pod,
  job: Job,
  { perform, isShared }: { perform: Perform; isShared: boolean },
): void {
  const { exitCode = 0, message = '', content } = perform(pod, job) ?? workOf(cluster, pod, job)
  const { name } = job.metadata
  const mark = (before: string) => (isShared ? `torn by ${name}` : `${before}+${name}${exitCode ? '(failed)' : ''}`)
  for (const claim of writable(cluster, pod))
    cluster.store.modify(claim, (current) => withContent(current, content ?? mark(contentOf(current))))
  const finishedAt = timestamp()
  const reason = exitCode ? 'Error' : 'Completed'
  // The kubelet reads no more than this of a termination message.
  const said = message ? { message: message.slice(0, 4096) } : {}
  const terminated = { exitCode, reason, startedAt: pod.status?.startTime, finishedAt, ...said }
  const containerStatuses = pod.spec.containers?.map((container) => ({
    name: container.name,
    image: container.image,
    ready: false,
    started: false,
    restartCount: 0,
    state: { terminated },
  }))
  const conditions = ['ContainersReady', 'Ready'].reduce<Condition[] | undefined>(
    (all, type) => withCondition(all, { type, status: 'False', reason: exitCode ? 'PodFailed' : 'PodCompleted' }),
    pod.status?.conditions,
  )
  cluster.store.setStatus(pod, { phase: exitCode ? 'Failed' : 'Succeeded', conditions, containerStatuses })
}

function workOf(cluster: Cluster, pod: Pod, job: Job): Work {
  const said = (annotation: string) => pod.metadata.annotations?.[annotation]
  if (!cluster.hasFault('job-fails', job)) return { message: said(saysAnnotation) ?? wordsOf(pod, 'well') ?? '' }
  return { exitCode: 1, message: said(failsWithAnnotation) ?? wordsOf(pod, 'ill') ?? 'the work was made to fail' }
}

function writable({ store }: Cluster, pod: Pod): Claim[] {
  if (onlyReads(pod)) return []
  const { metadata, spec } = pod
  return (spec.volumes ?? []).flatMap(({ persistentVolumeClaim: mounted }) => {
    if (!mounted || mounted.readOnly) return []
    return store.get<Claim>('PersistentVolumeClaim', metadata.namespace ?? '', mounted.claimName) ?? []
  })
}
