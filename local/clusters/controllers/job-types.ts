import type { Condition, KubeObject } from '../object.ts'
import type { Pod } from './claim-types.ts'

export interface Job extends KubeObject {
  spec: {
    backoffLimit?: number
    activeDeadlineSeconds?: number
    ttlSecondsAfterFinished?: number
    template: {
      metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> }
      spec: Pod['spec']
    }
  }
  status?: {
    conditions?: Condition[]
    startTime?: string
    completionTime?: string
    active?: number
    succeeded?: number
    failed?: number
  }
}

/** How the work of a pod ends; what is left out is as a run that went well leaves it. */
export interface Work {
  exitCode?: number
  /** The container's termination message. */
  message?: string
  /** What is on the disks that the pod could write to. */
  content?: string
}

/** Says how the work of a Job's pod ends, or leaves it to the annotations of the pod. */
export type Perform = (pod: Pod, job: Job) => Work | undefined

/** What a Job's pod says at its end, and what it says where it was made to fail: annotations of the Job's template. */
export const saysAnnotation = 'local.drover.dev/says'
export const failsWithAnnotation = 'local.drover.dev/fails-with'
