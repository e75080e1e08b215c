import type { KubeObject } from '../../local/clusters/object.ts'

/** Something that can be killed, and comes back. */
export interface Target {
  name: string
  /** Kills it, lets it be away for so many milliseconds, and resolves when it serves again: true where there was something to kill. */
  strike(pause: number): Promise<boolean>
}

/** A process that is watched: for those that end by themselves, and for what they use. */
export interface Watched {
  name: string
  pid(): number | undefined
  crashes(): number
}

/** Where the prober asks: Drover on the stand-ins or on the real controllers, each part in a process of its own. */
export interface Platform {
  kind: 'local' | 'real'
  /** Where events are POSTed. */
  broker: string
  /** The fleet's bare repository on disk. */
  repository: string
  /** The file in which every event is noted that the Broker took in. */
  journal: string
  /** What the functions said, a file for each. */
  logs: string
  /** Where each function keeps its clone of the fleet. */
  clones: string
  /** Where each function listens. */
  addresses: Record<string, string>
  targets: readonly Target[]
  watched: readonly Watched[]
  /** The managed clusters. */
  sites: readonly string[]
  /** Everything on a cluster, the hub's as well, as it is now. */
  objects(cluster: string): Promise<readonly KubeObject[]>
  close(): Promise<void>
}
