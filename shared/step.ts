import type { Change } from './fleet.ts'
import type { Volumes } from './kubevirt/new-disks.ts'
import type { Restoring } from './kubevirt/restoring.ts'
import type { LifecycleName } from './lifecycles.ts'
import type { Definition, DnsRecord, Identity, Interface } from './schema/definition.ts'
import type { GoldenImage } from './schema/golden-image.ts'
import type { Image, Machine, Owner } from './schema/machine.ts'
import type { Request } from './schema/requests.ts'

/** What the steps of a run have found out so far. It travels in the events; each step adds to it. */
export interface Facts {
  /** validate: template and request joined; locate: what a clone takes over. */
  machine?: Machine
  /** validate: labels for the machine, from template and request; locate: those of the machine that is cloned. */
  labels?: Record<string, string>
  /** validate: where the requester wants to be told how the run ended; allowed by policy. */
  callback?: { url: string }
  /** allocate: the machine's name, reserved in the fleet; hold: the image's. */
  name?: string
  /** allocate: what the machine is known by, and its addresses and records; locate: those of the machine that there is. */
  identity?: Identity
  interfaces?: Interface[]
  dns?: DnsRecord[]
  /** place: the ManagedCluster, pinned for the machine's life; locate: that of the machine that there is. */
  cluster?: string
  /** place: why this cluster, for people. */
  placementReason?: string
  /** locate: the run that made the machine: enterprise systems know it by that. */
  madeBy?: string
  /** locate: the machine that a new one is made from. */
  origin?: Origin
  /** locate: the golden image that a repave takes. */
  nextImage?: Image
  /** validate: the kept disks that the machine takes. */
  attached?: Definition['disks']
  /** locate, verify: how the claim of the disk that is changed is mounted. */
  volumeMode?: 'Filesystem' | 'Block'
  /** locate: how disks are put back on the machine's cluster. */
  restoring?: Restoring
  /** locate: the snapshot that new disks are made from. */
  restoredFrom?: SnapshotVolumes
  /** place, locate, hold: what the DataSource of the image stands for. */
  imageVersion?: string
  /** locate: whether the machine was to run before; what a run turns off, it turns on again. */
  wasRunning?: boolean
  /** locate: false where the machine was to run before, and was not ready: an undo does not wait for what was not there. */
  wasReady?: boolean
  /** locate: false where its guest agent was to speak, and did not. */
  hadAgent?: boolean
  /** validate, locate, verify: the claims of the machine's disks, by name, with the uid that tells one that came anew. */
  claims?: Claims
  /** verify: the claims that a restore has made and that are filled once a pod uses them; until then their snapshot is all there is. */
  unfilled?: string[]
  /** verify: what a task found out that people want to know, such as the packages that were updated. */
  report?: string[]
  /** register: the record in the enterprise system. */
  cmdb?: { id: string; state: 'planned' | 'operational' | 'retired' }
  /** build: the definition that goes to Git. */
  definition?: Definition
  /** build: the golden image that goes to Git. */
  image?: GoldenImage
  /** verify: the image in the registry. */
  digest?: string
  /** commit: the commit that holds the definition. */
  revision?: string
  /** verify: the machine as the cluster shows it. */
  observed?: { status: string; addresses: string[]; guestAgent: boolean; node?: string }
  /** commit: what a plan would change in Git, a line for each file. */
  plan?: string[]
  /** commit: the same as a diff. */
  diff?: string
  /** verify, recover: what the end of a machine or an undo left alone on purpose, such as data disks. */
  kept?: string[]
}

/** A snapshot, and the VolumeSnapshot of each volume of its machine. */
export interface SnapshotVolumes {
  snapshot: string
  volumes: Volumes
}

/** A machine's snapshot that another machine is made from. */
export interface Origin {
  name: string
  snapshot: string
  owner: Owner
  /** The VolumeSnapshot of each volume of the machine. */
  volumes: Record<string, string>
  /** The size of each volume that has grown since. */
  sizes?: Record<string, string>
  /** What the root disk was made from, as far as that can be told of it: an image that is as old is the current one. */
  version?: string
}

/** A claim's name and the uid that the cluster has given it. */
export type Claims = Record<string, string>

/** A change with what it expects to replace: a blob id, or null where nothing may be. */
export interface ExpectedChange extends Change {
  expect: string | null
}

/** Why a run failed. */
export interface Failure {
  task: string
  title: string
  message: string
}

/** One run as a step sees it: plain data, but for `at` the same at every delivery of the same event. */
export interface Run {
  id: string
  lifecycle: LifecycleName
  /** The task that is to be done, e.g. `create.commit`. */
  task: string
  request: Request
  facts: Facts
  /** From `create.build` to `create.commit`. */
  changes?: ExpectedChange[]
  /** In a plan: what the tasks so far would have changed in Git. */
  draft?: Change[]
  /** In a failed run. */
  failure?: Failure
  /** What the event that woke the step says to people; empty in a request. */
  message: string
  /** The fact that woke the step, e.g. `checked` or `create.verify.failed`. */
  fact: string
  /** When the run begins and when it must have ended, RFC 3339: when it was requested, or an hour before its request came. */
  since: string
  deadline: string
  /** From when on the run's commits are looked for, RFC 3339: a request may come again, and need not say when it was made. */
  horizon: string
  requester: string
  /** In a request: who posted it, as far as the Broker lets nobody claim to be somebody else. */
  source?: string
  /** When this delivery was taken up, RFC 3339. */
  at: string
  /** What every event of the run carries on: the requester's `correlationid`, and the trace (`traceparent`, `tracestate`). */
  marks: Record<string, string>
}

/** A run that stands still: what its task came to is to be said again, so that it goes on. */
export interface Standstill {
  run: Run
  outcome: Ending
}

/** What there is to know of the fleet as a whole. */
export interface FleetView {
  /** Every run that has a record. */
  open: { lifecycle: LifecycleName; state: 'running' | 'undoing' | 'stranded'; since: string; deadline: string }[]
  /** How many addresses of each network are free, by family. */
  networks: { network: string; family: 4 | 6; free: number }[]
  /** A sentence for each record that nobody can go on with, because of what it holds. */
  unreadable: string[]
}

/** What a look at all runs in flight came to. */
export interface Swept extends FleetView {
  standing: Standstill[]
  /** What else could not be done: the next look tries it again. */
  problems: string[]
}

/** True when a run's time, or that of its undo, is up. */
export const isPastDeadline = ({ deadline }: Pick<Run, 'deadline'>, now: Date): boolean =>
  now.getTime() >= Date.parse(deadline)

/** What a step may use of the place where it runs. */
export interface Here {
  now(): Date
  /** Tells the requester what is being waited for; the same message twice in a row is told once. */
  progress(message: string): Promise<void>
  /** Aborted when this delivery must be answered; a step that still waits then answers `notYet`. */
  patience: AbortSignal
}

/** How a task ends. */
export type Outcome =
  | {
      kind: 'succeeded'
      message: string
      facts?: Facts
      changes?: ExpectedChange[]
      draft?: Change[]
      /** Of an undo that came too late: the run was complete, and nobody may have heard. */
      end?: 'completed'
    }
  /** The run fails with this sentence. */
  | { kind: 'refused'; message: string; facts?: Facts }
  /** Ends an undo that a person must look at. */
  | { kind: 'stranded'; message: string; facts?: Facts }
  /** Deliver the event again. */
  | { kind: 'notYet'; message: string }
  /** Nothing to do and nothing to say: a late or doubled event. */
  | { kind: 'ignored'; message: string }

/** An outcome that others are told of. */
export type Ending = Exclude<Outcome, { kind: 'notYet' | 'ignored' }>

export type Step = (run: Run, here: Here) => Promise<Outcome>

export const succeeded = (message: string, facts: Facts = {}): Ending => ({ kind: 'succeeded', message, facts })
/** A task that has made a change set, to be committed by the next. */
export const built = (message: string, facts: Facts, changes: ExpectedChange[]): Ending => ({
  kind: 'succeeded',
  message,
  facts,
  changes,
})
export const refused = (message: string, facts: Facts = {}): Ending => ({ kind: 'refused', message, facts })
export const notYet = (message: string): Outcome => ({ kind: 'notYet', message })
export const ignored = (message: string): Outcome => ({ kind: 'ignored', message })
