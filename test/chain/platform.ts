import type { KubeObject, NewObject } from '../../local/clusters/object.ts'
import type { Feed } from '../../local/feed.ts'
import type { Tamper } from '../../local/functions.ts'

/** What can be made to go wrong with the machines that are made from then on. */
export type MachineFault =
  | 'unschedulable'
  | 'crash-loop'
  | 'no-agent'
  | 'import-fails'
  | 'clone-fails'
  | 'wrong-address'
  | 'never-deleted'
  | 'sync-stuck'
  | 'stuck-stopping'
  | 'job-fails'
  | 'grow-fails'
  | 'snapshot-fails'
  | 'snapshot-stuck'
  | 'restore-fails'
  | 'restore-stuck'
  | 'restore-hangs'
  | 'migration-fails'

/** Where whole runs are tried: the stand-ins of one process, or the real controllers. The same tests run on both. */
export interface Platform {
  kind: 'local' | 'cluster'
  /** Where events are POSTed. */
  broker: string
  /** The fleet's bare repository on disk. */
  repository: string
  /** Where others clone it from and push to, where they can. */
  remote?: string
  feed: Feed
  /** The managed clusters. */
  sites: readonly string[]
  /** Which deliveries fail, and how; set by tests. */
  tamper: { with: Tamper }
  /** An object of the hub (`hub`) or of a managed cluster, as it is now. */
  look(cluster: string, kind: string, namespace: string, name: string): Promise<KubeObject | undefined>
  /** All objects of a kind in a namespace. */
  list(cluster: string, kind: string, namespace: string): Promise<KubeObject[]>
  /** Makes an object as somebody else would. */
  make(cluster: string, object: NewObject): Promise<void>
  /** Deletes one as somebody else would. */
  unmake(cluster: string, kind: string, namespace: string, name: string): Promise<void>
  /** Has Argo CD look at an Application, where it would otherwise take it minutes. */
  refresh?(application: string): Promise<void>
  /** Only with what is in one namespace, where one is said. Answers how to end it. */
  fault(fault: MachineFault, namespace?: string): () => void
  /** Has a claim vanish and come anew, with nothing of what was on it, where that can be played. */
  lose?(cluster: string, namespace: string, claim: string): Promise<void>
  /** Ends all faults. */
  mend(): void
  /** The page of metrics, where all functions have one in common. */
  metrics?(): Promise<string>
  /** Resolves when no delivery is pending. */
  idle(): Promise<void>
  close(): Promise<void>
}

/** Deliveries that nothing is done to. */
export const untampered: Tamper = () => undefined
