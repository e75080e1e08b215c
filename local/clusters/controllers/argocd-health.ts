import { isDict } from '../../../shared/dict.ts'
import type { Condition, KubeObject } from '../object.ts'

export interface Health {
  status: 'Healthy' | 'Suspended' | 'Progressing' | 'Missing' | 'Degraded' | 'Unknown'
  message?: string
}

const order = ['Healthy', 'Suspended', 'Progressing', 'Missing', 'Degraded', 'Unknown']

/** The worst of some healths; Healthy when there is none. */
export function worst(healths: (Health | undefined)[]): Health['status'] {
  return healths.reduce<Health['status']>(
    (found, next) => (next && order.indexOf(next.status) > order.indexOf(found) ? next.status : found),
    'Healthy',
  )
}

interface Status {
  phase?: string
  printableStatus?: string
  ready?: boolean
  created?: boolean
  readyToUse?: boolean
  error?: { message?: string }
  conditions?: Condition[]
}

/** What Argo CD (3.5.3) makes of an object's state by its built-in rules; undefined for kinds it has no rule for. */
export function healthOf(object: KubeObject): Health | undefined {
  if (object.metadata.deletionTimestamp) return { status: 'Progressing', message: 'Pending deletion' }
  const status: Status = isDict(object['status']) ? object['status'] : {}
  const spec = isDict(object['spec']) ? object['spec'] : {}
  const condition = (type: string) => status.conditions?.find((one) => one.type === type)
  switch (object.kind) {
    case 'VirtualMachine':
      return machine(
        status,
        condition('Paused'),
        condition('Ready'),
        spec['runStrategy'] === 'Halted' || spec['running'] === false,
      )
    case 'VirtualMachineInstance':
      if (status.phase === 'Failed') return { status: 'Degraded' }
      return {
        status:
          status.phase === 'Succeeded'
            ? 'Suspended'
            : condition('Ready')?.status === 'True'
              ? 'Healthy'
              : 'Progressing',
      }
    case 'DataVolume':
      return dataVolume(status, condition('Running'))
    case 'PersistentVolumeClaim':
      return { status: status.phase === 'Bound' ? 'Healthy' : status.phase === 'Lost' ? 'Degraded' : 'Progressing' }
    case 'Pod':
      return {
        status:
          status.phase === 'Running' || status.phase === 'Succeeded'
            ? 'Healthy'
            : status.phase === 'Failed'
              ? 'Degraded'
              : 'Progressing',
      }
    case 'Job':
      return job(condition('Complete'), condition('Failed'), condition('Suspended'))
    case 'VolumeSnapshot':
      return volumeSnapshot(status)
    case 'ExternalSecret':
      return externalSecret(condition('Ready'))
    default:
      return undefined
  }
}

function machine(status: Status, paused: Condition | undefined, ready: Condition | undefined, halted: boolean): Health {
  if (paused?.status === 'True') return { status: 'Suspended', message: paused.message ?? '' }
  if (ready?.status === 'True') return { status: 'Healthy', message: 'Running' }
  if (halted && status.printableStatus === 'Stopped') return { status: 'Healthy', message: 'Stopped' }
  if (status.created) return { status: 'Progressing', message: status.printableStatus ?? 'Starting' }
  if (status.printableStatus === undefined) return { status: 'Progressing' }
  return { status: 'Suspended', message: status.printableStatus }
}

function dataVolume({ phase }: Status, running: Condition | undefined): Health {
  if (running?.status === 'False' && running.reason === 'Error')
    return { status: 'Degraded', message: running.message ?? '' }
  if (phase === 'Succeeded') return { status: 'Healthy', message: phase }
  if (phase === 'Failed' || phase === 'Unknown') return { status: 'Degraded', message: phase }
  return { status: phase === 'Paused' ? 'Suspended' : 'Progressing', message: phase ?? '' }
}

function job(complete: Condition | undefined, failed: Condition | undefined, suspended: Condition | undefined): Health {
  if (failed) return { status: 'Degraded', message: failed.message ?? '' }
  if (suspended?.status === 'True') return { status: 'Suspended' }
  return complete ? { status: 'Healthy', message: complete.message ?? '' } : { status: 'Progressing' }
}

function volumeSnapshot({ readyToUse, error }: Status): Health {
  if (readyToUse) return { status: 'Healthy', message: 'Ready to use' }
  if (error) return { status: 'Degraded', message: error.message ?? '' }
  return { status: 'Progressing', message: 'Waiting for status' }
}

function externalSecret(ready: Condition | undefined): Health {
  if (ready?.status === 'True') return { status: 'Healthy', message: ready.message ?? '' }
  if (ready?.status === 'False') return { status: 'Degraded', message: ready.message ?? '' }
  return { status: 'Progressing', message: 'Waiting for ExternalSecret' }
}
