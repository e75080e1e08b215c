import type { Restoring } from './kubevirt/restoring.ts'

/**
 * What a cluster shows of one machine, as far as waiting for it needs it. Read only: nobody but Argo CD changes a
 * managed cluster.
 */

export interface Condition {
  type: string
  status: string
  reason?: string
  message?: string
}

export interface Metadata {
  name: string
  generation?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  creationTimestamp?: string
  deletionTimestamp?: string
}

/** Asks Argo CD to look at Git now; it takes it off with the same write that says what it found. */
export const refreshAnnotation = 'argocd.argoproj.io/refresh'

export interface Application {
  metadata: Metadata
  spec?: { destination?: { name?: string; namespace?: string } }
  status?: {
    sync?: { status?: string; revision?: string }
    operationState?: {
      phase?: string
      message?: string
      retryCount?: number
      operation?: { sync?: { revision?: string } }
    }
    conditions?: { type: string; message: string }[]
  }
}

export interface VirtualMachine {
  metadata: Metadata
  spec?: {
    runStrategy?: string
    instancetype?: { name?: string }
    template?: {
      spec?: {
        domain?: {
          cpu?: { cores?: number }
          memory?: { guest?: string }
          firmware?: { uuid?: string; serial?: string }
          devices?: { interfaces?: { name: string; macAddress?: string }[] }
        }
        volumes?: { name: string; persistentVolumeClaim?: { claimName: string } }[]
      }
    }
  }
  status?: {
    /** The name of the snapshot or restore that goes on; changes of disks and of power are refused meanwhile. */
    snapshotInProgress?: string
    restoreInProgress?: string
    printableStatus?: string
    ready?: boolean
    /** The generation that its guest is of: it stands still while the template is another than that of its start. */
    observedGeneration?: number
    /** The generation that KubeVirt has seen last while there was a guest. */
    desiredGeneration?: number
    /** What KubeVirt has acted on last; nothing before the first guest. */
    runStrategy?: string
    conditions?: Condition[]
    /** There from the first try that failed until a guest ran. */
    startFailure?: { consecutiveFailCount: number }
  }
}

export interface VirtualMachineInstance {
  metadata: Metadata
  status?: {
    phase?: string
    nodeName?: string
    conditions?: Condition[]
    interfaces?: { name?: string; mac?: string; ipAddress?: string; ipAddresses?: string[] }[]
    /** Of the migration that moved this very guest last; a guest that was started anew has none. */
    migrationState?: { migrationUid?: string; sourceNode?: string; targetNode?: string }
  }
}

export interface DataVolume {
  metadata: Metadata
  status?: { phase?: string; progress?: string; conditions?: Condition[] }
}

/** A VirtualMachineSnapshot. */
export interface Snapshot {
  metadata: Metadata
  status?: {
    phase?: string
    readyToUse?: boolean
    error?: { message?: string }
    sourceIndications?: { indication: string }[]
    /** Before KubeVirt 1.7. */
    indications?: string[]
    virtualMachineSnapshotContentName?: string
    /** By the machine's volume. KubeVirt takes a snapshot of what it can, and calls that a success. */
    snapshotVolumes?: { excludedVolumes?: string[] }
    conditions?: Condition[]
  }
}

/** A VirtualMachineRestore. */
export interface Restore {
  metadata: Metadata
  spec?: { virtualMachineSnapshotName?: string }
  status?: { complete?: boolean; conditions?: Condition[] }
}

/** A VirtualMachineInstanceMigration. */
export interface Migration {
  metadata: Metadata & { uid: string }
  status?: { phase?: string; migrationState?: { failureReason?: string } }
}

export interface Job {
  metadata: Metadata
  /** `completionTime` is there once it has done its work. */
  status?: { conditions?: Condition[]; completionTime?: string }
}

/** A PersistentVolumeClaim. */
export interface Claim {
  metadata: Metadata & { uid: string; ownerReferences?: { kind: string; name: string }[] }
  spec?: {
    volumeMode?: string
    storageClassName?: string
    resources?: { requests?: { storage?: string } }
    dataSource?: { kind: string; name: string }
  }
  status?: { phase?: string; capacity?: { storage?: string } }
}

/** An ExternalSecret of the External Secrets operator. */
export interface ExternalSecret {
  metadata: Metadata
  status?: { conditions?: Condition[] }
}

/** What is seen of a cluster at one moment. */
export interface Seen {
  /** The cluster or the hub cannot be asked at this moment: this is how it was. */
  isStale?: true
}

/** Everything of one machine at one moment; what is not there is undefined. */
export interface MachineView extends Seen {
  application: Application | undefined
  machine: VirtualMachine | undefined
  instance: VirtualMachineInstance | undefined
  disks: DataVolume[]
  secrets: ExternalSecret[]
  /** What is looked at only where it is asked for. */
  snapshots?: Snapshot[]
  restores?: Restore[]
  migrations?: Migration[]
  jobs?: Job[]
}

/** What a view of a machine may show beside the machine itself. */
export type Extra = 'snapshots' | 'restores' | 'migrations' | 'jobs'

export interface MachineAddress {
  cluster: string
  namespace: string
  name: string
}

export const placeOf = ({ cluster, namespace, name }: MachineAddress): string => `${namespace}/${name} on ${cluster}`

/** What a machine had its size from when a snapshot was taken, and what the claim of each of its volumes asked for. */
export interface SnapshotSize {
  instancetype: boolean
  preference: boolean
  claims: Record<string, string>
}

export interface Machines {
  /**
   * The machine as it is now, again whenever something of it changes, and every second or two when nothing does, so
   * that whoever waits notices how long something lasts. It goes on over broken connections, and
   * ends without an error once the signal is aborted. A cluster that cannot be asked at all throws.
   */
  watch(address: MachineAddress, signal: AbortSignal, extras?: readonly Extra[]): AsyncIterable<MachineView>
  /** The claims of these names that there are. */
  claims(cluster: string, namespace: string, names: readonly string[]): Promise<Claim[]>
  /** The pods that have not ended and hold one of these claims, by name. */
  holders(cluster: string, namespace: string, claims: readonly string[]): Promise<string[]>
  /**
   * The VolumeSnapshots that a VirtualMachineSnapshot is made of, by the machine's volume; nothing while it cannot be used.
   */
  volumesOf(cluster: string, namespace: string, snapshot: string): Promise<Record<string, string>>
  /** What a VirtualMachineSnapshot knows of its VirtualMachine's size; undefined while it cannot be used. */
  sizeIn(cluster: string, namespace: string, snapshot: string): Promise<SnapshotSize | undefined>
  /** Whether a StorageClass binds a claim only once a pod uses it. */
  waitsForPod(cluster: string, storageClass: string): Promise<boolean>
  /** How disks are put back there, by what its KubeVirt offers; undefined where it knows no restores. */
  restoring(cluster: string): Promise<Restoring | undefined>
  /** What the pods of a Job said at their end: Kubernetes' termination message. */
  lastWords(cluster: string, namespace: string, job: string): Promise<string>
  /** Makes Argo CD look at Git now, by the refresh annotation; nothing when there is no such Application. */
  refresh(application: string): Promise<void>
  /**
   * Makes Argo CD look at Git now, and resolves with true once it has and applies nothing older any more; with false
   * when the signal is aborted first. Without such an Application there is nothing to wait for.
   */
  settle(application: string, signal: AbortSignal): Promise<boolean>
}

/** What stands in the clusters under a machine's name, at one look. */
export interface Occupants {
  of(address: MachineAddress): Promise<Pick<MachineView, 'application' | 'machine'>>
}
