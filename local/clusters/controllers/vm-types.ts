import type { Condition, KubeObject } from '../object.ts'

export interface Volume {
  name: string
  dataVolume?: { name: string }
  persistentVolumeClaim?: { claimName: string }
  cloudInitNoCloud?: CloudInit
  cloudInitConfigDrive?: CloudInit
  sysprep?: { secret?: { name: string }; configMap?: { name: string } }
  secret?: { secretName: string }
  [source: string]: unknown
}

export interface CloudInit {
  secretRef?: { name: string }
  networkDataSecretRef?: { name: string }
  networkData?: string
  networkDataBase64?: string
}

export interface Interface {
  name: string
  macAddress?: string
}

export interface GuestSpec {
  architecture?: string
  domain: {
    firmware?: { uuid?: string; serial?: string }
    machine?: { type?: string }
    memory?: { guest?: string }
    resources?: { requests?: Record<string, string> }
    devices?: { disks?: { name: string }[]; filesystems?: { name: string }[]; interfaces?: Interface[] }
  }
  networks?: { name: string; pod?: unknown; multus?: { networkName: string } }[]
  volumes?: Volume[]
}

export interface Matcher {
  name: string
  kind?: string
  revisionName?: string
}

export interface VirtualMachine extends KubeObject {
  spec: {
    runStrategy?: string
    running?: boolean
    instancetype?: Matcher
    preference?: Matcher
    dataVolumeTemplates?: {
      metadata: { name: string; annotations?: Record<string, string>; labels?: Record<string, string> }
      spec: unknown
    }[]
    template: { metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> }; spec: GuestSpec }
  }
  status?: {
    runStrategy?: string
    printableStatus?: string
    created?: boolean
    ready?: boolean
    observedGeneration?: number
    desiredGeneration?: number
    conditions?: Condition[]
    snapshotInProgress?: string
    restoreInProgress?: string
    startFailure?: { consecutiveFailCount: number; lastFailedVMIUID: string; retryAfterTimestamp: string }
  }
}

export interface Instance extends KubeObject {
  spec: GuestSpec
  status?: {
    phase?: string
    conditions?: Condition[]
    interfaces?: unknown[]
    nodeName?: string
    migrationState?: MigrationState
  }
}

export interface MigrationState {
  migrationUid: string
  sourceNode?: string
  sourcePod?: string
  targetNode?: string
  targetPod?: string
  targetNodeAddress?: string
  startTimestamp?: string
  endTimestamp?: string
  completed?: boolean
  failed?: boolean
  failureReason?: string
}

export interface Migration extends KubeObject {
  spec: { vmiName: string }
  status?: { phase?: string; phaseTransitionTimestamps?: { phase: string; phaseTransitionTimestamp: string }[] }
}

/** The label by which a pod that a guest is moved to says which migration it is of. */
export const migrationLabel = 'kubevirt.io/migrationJobUID'

/** The claims that a machine's volumes name; a DataVolume's claim has the DataVolume's name. */
export function claimNames(volumes: Volume[] = []): string[] {
  return volumes.flatMap(({ dataVolume, persistentVolumeClaim: claim }) => claim?.claimName ?? dataVolume?.name ?? [])
}

/** The Secrets that have to be there before the guest can start, with the volume that mounts each. */
export function secretNames(volumes: Volume[] = []): { volume: string; secret: string }[] {
  return volumes.flatMap(({ name, cloudInitNoCloud, cloudInitConfigDrive, sysprep, secret }) => {
    const { secretRef, networkDataSecretRef } = cloudInitNoCloud ?? cloudInitConfigDrive ?? {}
    const of = (suffix: string, found: string | undefined) => (found ? [{ volume: name + suffix, secret: found }] : [])
    return [
      ...of('-udata', secretRef?.name),
      ...of('-ndata', networkDataSecretRef?.name),
      ...of('', sysprep?.secret?.name ?? secret?.secretName),
    ]
  })
}
