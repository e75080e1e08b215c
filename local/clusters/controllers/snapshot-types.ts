import type { Condition, KubeObject } from '../object.ts'
import type { Claim } from './claim-types.ts'
import type { VirtualMachine } from './vm-types.ts'

export interface SnapshotError {
  message: string
  time?: string
}

/** A storage snapshot of one claim; what the claim had on it is in its annotation. */
export interface VolumeSnapshot extends KubeObject {
  spec: { source: { persistentVolumeClaimName?: string }; volumeSnapshotClassName?: string }
  status?: { readyToUse?: boolean; creationTime?: string; restoreSize?: string; error?: SnapshotError }
}

/** What a claim was when its snapshot was cut. */
export interface VolumeBackup {
  volumeName: string
  persistentVolumeClaim: { metadata: Claim['metadata']; spec: Claim['spec'] }
  volumeSnapshotName: string
}

interface Reference {
  apiGroup?: string
  kind: string
  name: string
}

export interface SnapshotContent extends KubeObject {
  spec: {
    virtualMachineSnapshotName: string
    source: { virtualMachine: Pick<VirtualMachine, 'metadata' | 'spec'> }
    volumeBackups: VolumeBackup[]
  }
  status?: { readyToUse?: boolean; creationTime?: string; error?: SnapshotError; volumeSnapshotStatus?: unknown[] }
}

export interface Snapshot extends KubeObject {
  spec: { source: Reference; deletionPolicy?: 'Delete' | 'Retain'; failureDeadline?: string }
  status?: {
    phase?: 'InProgress' | 'Succeeded' | 'Failed' | 'Deleting'
    readyToUse?: boolean
    creationTime?: string
    sourceUID?: string
    virtualMachineSnapshotContentName?: string
    error?: SnapshotError
    conditions?: Condition[]
    indications?: string[]
  }
}

export interface VolumeRestore {
  volumeName: string
  persistentVolumeClaim: string
  volumeSnapshotName: string
  dataVolumeName?: string
}

export interface Restore extends KubeObject {
  spec: {
    target: Reference
    virtualMachineSnapshotName: string
    targetReadinessPolicy?: 'WaitGracePeriod' | 'StopTarget' | 'FailImmediate' | 'WaitEventually'
    volumeRestorePolicy?: 'RandomizeNames' | 'InPlace' | 'PrefixTargetName'
    volumeOwnershipPolicy?: 'Vm' | 'None'
    patches?: string[]
  }
  status?: {
    complete?: boolean
    restoreTime?: string
    restores?: VolumeRestore[]
    deletedDataVolumes?: string[]
    conditions?: Condition[]
  }
}
