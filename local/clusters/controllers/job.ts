import { randomUUID } from 'node:crypto'
import { invalid } from '../api-error.ts'
import type { Cluster, Waker } from '../cluster.ts'
import { kindNamed } from '../kinds.ts'
import { type Condition, hasCondition, type KubeObject, ownedBy, timestamp, withCondition } from '../object.ts'
import { same } from '../store-rules.ts'
import { hasEnded, type Pod } from './claim-types.ts'
import type { Job } from './job-types.ts'

/** Kubernetes' Job controller: a pod at a time, another one after a failure, until one succeeds or it gives up. */
export function runJobs(cluster: Cluster): void {
  cluster.store.admit('Job', (job, previous) => admit(job as Job, previous as Job | undefined))
  const ofPod = ({ metadata }: KubeObject) =>
    (metadata.ownerReferences ?? [])
      .filter(({ kind }) => kind === 'Job')
      .map(({ name }) => `${metadata.namespace}/${name}`)
  cluster.control<Job>('Job', (job, waker) => reconcile(cluster, job, waker), { Pod: ofPod })
}

function admit(job: Job, previous: Job | undefined): KubeObject {
  const { name } = job.metadata
  if (previous && !same(job.spec.template, previous.spec.template))
    throw invalid(kindNamed('Job'), name, [
      { reason: 'FieldValueInvalid', message: 'Invalid value: field is immutable', field: 'spec.template' },
    ])
  return previous ? job : { ...job, spec: { backoffLimit: 6, completions: 1, parallelism: 1, ...job.spec } }
}

function reconcile(cluster: Cluster, job: Job, waker: Waker) {
  const { store } = cluster
  const { conditions, startTime } = job.status ?? {}
  if (job.metadata.deletionTimestamp) return
  if (hasCondition(conditions, 'Complete') || hasCondition(conditions, 'Failed')) return forget(cluster, job, waker)
  if (!startTime) return void store.setStatus(job, { startTime: timestamp() })
  const pods = store.dependents(job.metadata.uid).filter(({ kind }) => kind === 'Pod') as Pod[]
  const active = pods.filter((pod) => !hasEnded(pod) && !pod.metadata.deletionTimestamp)
  const failed = pods.filter(({ status }) => status?.phase === 'Failed').length
  const succeeded = pods.some(({ status }) => status?.phase === 'Succeeded')
  store.setStatus(job, {
    active: active.length || undefined,
    failed: failed || undefined,
    succeeded: succeeded ? 1 : undefined,
  })
  if (succeeded) return end(cluster, job, { type: 'Complete', reason: 'CompletionsReached', message: reached })
  if (failed > (job.spec.backoffLimit ?? 6))
    return end(cluster, job, { type: 'Failed', reason: 'BackoffLimitExceeded', message: tooOften })
  const left = timeLeft(job, startTime)
  if (left !== undefined && left <= 0) {
    for (const { metadata } of active) store.remove('Pod', metadata.namespace ?? '', metadata.name)
    return end(cluster, job, { type: 'Failed', reason: 'DeadlineExceeded', message: tooLong })
  }
  if (left !== undefined) waker.again(left)
  if (active.length === 0 && (failed === 0 || waker.over('retry'))) start(cluster, job)
}

const reached = 'Reached expected number of succeeded pods'
const tooOften = 'Job has reached the specified backoff limit'
const tooLong = 'Job was active longer than specified deadline'

function timeLeft({ spec }: Job, startTime: string): number | undefined {
  const { activeDeadlineSeconds } = spec
  return activeDeadlineSeconds === undefined
    ? undefined
    : Date.parse(startTime) + activeDeadlineSeconds * 1000 - Date.now()
}

function start(cluster: Cluster, job: Job): void {
  const { name, namespace, uid } = job.metadata
  const { metadata, spec } = job.spec.template
  const pod = cluster.store.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${name}-${randomUUID().slice(0, 5)}`,
      namespace,
      labels: { ...metadata?.labels, 'job-name': name, 'batch.kubernetes.io/job-name': name, 'controller-uid': uid },
      annotations: metadata?.annotations,
      ownerReferences: [ownedBy(job)],
    },
    spec,
  })
  cluster.event(job, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`)
}

function end(cluster: Cluster, job: Job, { type, reason, message }: Omit<Condition, 'status'>): void {
  const before = type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget'
  const conditions = [before, type].reduce<Condition[] | undefined>(
    (all, one) => withCondition(all, { type: one, status: 'True', reason, message }),
    job.status?.conditions,
  )
  const completionTime = type === 'Complete' ? timestamp() : undefined
  cluster.store.setStatus(job, { conditions, completionTime, active: undefined })
  const isFine = type === 'Complete'
  cluster.event(
    job,
    isFine ? 'Normal' : 'Warning',
    isFine ? 'Completed' : (reason ?? ''),
    isFine ? 'Job completed' : (message ?? ''),
  )
}

/** A Job that has ended goes by itself where it says after how long. */
function forget({ store }: Cluster, { metadata, spec, status }: Job, { again }: Waker): void {
  if (spec.ttlSecondsAfterFinished === undefined) return
  const ended = status?.conditions?.find(({ type }) => type === 'Complete' || type === 'Failed')?.lastTransitionTime
  const left = Date.parse(ended ?? '') + spec.ttlSecondsAfterFinished * 1000 - Date.now()
  if (left > 0) again(left)
  else store.remove('Job', metadata.namespace ?? '', metadata.name)
}
