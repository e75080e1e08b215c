import type { RunData } from '../../shared/run.ts'
import type { Facts } from '../../shared/step.ts'
import { table } from './table.ts'

/** What subscribers read in an event's data. The types hold both lists complete: a field that is added is to be said here. */

const data: Record<keyof RunData, string> = {
  vmName: "the machine's name, or the image's; empty until there is one",
  eventTask: 'the lifecycle for people: `Provisioning`',
  eventSubTask: 'the task for people: `Identify the cluster`',
  status: '`success`, `progress` or `failure`',
  message: 'one sentence for people',
  requester: "who asked: the request's `requester`, else its `source`",
  since: 'when the run begins: when it was requested, or an hour before its request came',
  horizon: 'from when on commits of the run are looked for, where that is not `since`',
  deadline: 'when the run must have ended; an undo gets its own',
  request: "the request's data, as it was",
  facts: 'what the tasks so far found out: see below',
  changes:
    'in every `….built`: each path with its new content (`null`: it goes), and the blob that it expects to replace',
  draft: 'in a run with `plan`, until it ends: each path with the content that the tasks so far would have given it',
  failure: 'after a failure: `task`, `title` and `message` of the task that failed',
}

const facts: Record<keyof Facts, string> = {
  machine: 'template and request joined',
  labels: "the machine's labels, from template and request",
  callback: 'where word is sent, once policy has allowed it',
  name: 'the name of the machine, or of the image',
  identity: "the firmware's UUID, and the serial number",
  interfaces: 'each with MAC, addresses, gateway and name servers',
  dns: 'the DNS records',
  cluster: 'the ManagedCluster',
  placementReason: 'why this cluster, for people',
  madeBy: 'the run that made the machine: enterprise systems know it by that',
  origin: 'of a clone: the old machine, its snapshot and owner',
  nextImage: 'of a repave: the golden image that it takes',
  attached: 'the kept disks that a new machine takes',
  volumeMode: 'how the claim of the disk that is changed is mounted: `Filesystem` or `Block`',
  restoring: 'how disks are put back on this cluster: `in place` or on `new disks`',
  restoredFrom: 'the snapshot that new disks are made from',
  imageVersion: 'what the DataSource of the image stood for when it was looked at',
  wasRunning: 'whether the machine was to run before',
  wasReady: 'false where it was to run, and was not ready',
  hadAgent: 'false where its guest agent was to speak, and did not',
  claims: "the claims of the machine's disks, by name, each with its uid",
  unfilled: 'the claims of a restore that are filled once the machine starts',
  report: 'lines for people, such as the packages that were updated',
  cmdb: 'the record in the enterprise system: `id` and `state`',
  definition: "the machine's definition as it goes to Git; not once the run has ended",
  image: 'the golden image as it goes to Git; not once the run has ended',
  digest: 'of an image that was pushed: its digest in the registry',
  revision: 'the commit that holds the definition, or the image',
  observed: 'the machine as its cluster shows it: `status`, `addresses`, `guestAgent`, `node`',
  plan: 'what a plan would change in Git, a line for each file',
  diff: 'the same as a diff',
  kept: 'what an undo or a de-provisioning left on the cluster on purpose: data disks',
}

export const dataTable = (): string => rows('field', data)
export const factsTable = (): string => rows('fact', facts)

const rows = (head: string, says: Record<string, string>) =>
  table(
    [head, 'what it holds'],
    Object.entries(says).map(([name, what]) => [`\`${name}\``, what]),
  )
