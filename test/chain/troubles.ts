import { type LifecycleName, lifecycleOf, placeIn, type RoundName, type Task } from '../../shared/lifecycles.ts'
import type { MachineFault, Platform } from './platform.ts'

/** What goes wrong on the cluster in a round. */
export interface Trouble {
  fault: MachineFault
  /** What the run says of it. */
  says: string
  /** The round from whose commit on it is so. */
  round: RoundName
  /** More of the request. */
  request?: object
}

/** What KubeVirt waits for without end, the run waits for until its time is up. */
const soon = { deadlineMinutes: 1 }

const troubles: Partial<Record<RoundName, Omit<Trouble, 'round'>>> = {
  create: { fault: 'crash-loop', says: 'CrashLoopBackOff' },
  stop: { fault: 'stuck-stopping', says: 'its guest is still there', request: soon },
  start: { fault: 'crash-loop', says: 'CrashLoopBackOff' },
  save: { fault: 'snapshot-fails', says: 'the storage was made to fail' },
  snapshot: { fault: 'snapshot-fails', says: 'the storage was made to fail' },
  restore: { fault: 'restore-fails', says: 'failed' },
  patch: { fault: 'job-fails', says: 'the work was made to fail' },
  image: { fault: 'import-fails', says: 'cannot be made' },
  swap: { fault: 'crash-loop', says: 'CrashLoopBackOff' },
  resize: { fault: 'grow-fails', says: 'has not grown to 8Gi', request: soon },
  migrate: { fault: 'migration-fails', says: 'failed' },
  remove: { fault: 'never-deleted', says: 'the cluster still has', request: soon },
  import: { fault: 'import-fails', says: 'cannot be made' },
  customize: { fault: 'job-fails', says: 'the work was made to fail' },
  push: { fault: 'job-fails', says: 'the registry answered 401' },
}

/** The rounds after which a guest starts anew. */
const starting: readonly RoundName[] = ['create', 'start', 'swap']

/** What the cluster can do to a task that waits for it; undefined where the stand-ins know nothing. */
export function troubleOf(lifecycle: LifecycleName, task: Task): Trouble | undefined {
  if (task.name === 'check') {
    const { tasks } = lifecycleOf(lifecycle)
    const round = tasks
      .slice(0, placeIn(lifecycle, task.name))
      .flatMap((one) => one.round ?? [])
      .findLast((one) => starting.includes(one))
    return round && { fault: 'wrong-address', says: 'wanted 10.20.0.', round }
  }
  const trouble = task.by === 'verify' && task.round ? troubles[task.round] : undefined
  return trouble && task.round ? { ...trouble, round: task.round } : undefined
}

/**
 * Has the cluster fail for what a run makes in a namespace, from the build of the round on in which it is to, until the run
 * has heard of it or it is stopped.
 */
export function afflict(
  { feed, fault: begin }: Pick<Platform, 'feed' | 'fault'>,
  namespace: string,
  { fault, round }: Trouble,
): () => void {
  let mend = () => {}
  const stop = feed.listen(({ type, subject }) => {
    if (!subject?.startsWith(`${namespace}/`)) return
    if (type.endsWith(`.${round}.built`)) mend = begin(fault, namespace)
    if (type.endsWith('.failed')) mend()
  })
  return () => {
    stop()
    mend()
  }
}
