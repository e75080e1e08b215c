import { allClaims, disksOf, operationAnnotation } from '../kubevirt/manifest.ts'
import {
  type Application,
  type Condition,
  type DataVolume,
  type ExternalSecret,
  type MachineView,
  type Metadata,
  refreshAnnotation,
  type VirtualMachine,
} from '../machines.ts'
import type { Definition } from '../schema/definition.ts'
import { type Assessment, failed, reached, troubled, waiting } from './assessment.ts'
import { words } from './words.ts'

/** Statuses of a VirtualMachine that name an error (KubeVirt's VirtualMachinePrintableStatus). */
const errorStatuses = ['CrashLoopBackOff', 'ErrImagePull', 'ImagePullBackOff']

/** Errors that are none while a disk is made, which may take an hour: its claim is not there yet, or not bound. */
const errorsOfClaims = ['ErrorUnschedulable', 'ErrorPvcNotFound', 'DataVolumeError']

/** Whether a guest was started for what is to be seen, or merely ran on. */
type Guest = 'started' | 'left running'

/**
 * The machine runs, is ready, shows this very definition as of this commit, and its guest agent speaks where one is
 * expected. A guest that was started for it has to be of this definition too. One that merely ran on may wait for a restart
 * since before, as after a hand has annotated its template: that is not for whoever moves it or lets a disk grow to settle.
 */
export function assessReady(
  view: MachineView,
  definition: Definition,
  revision?: string,
  guest: Guest = 'started',
): Assessment {
  // Not those that were kept of an earlier machine of this name, nor one that an undo has given up and Argo CD not yet removed.
  const mounted = allClaims(definition)
  const own = { ...view, disks: view.disks.filter(({ metadata }) => mounted.includes(metadata.name)) }
  // Argo CD says that the cluster refuses a claim which is to grow, for as long as its disk is being filled.
  const trouble = isFillingToGrow(own.disks, definition) ? undefined : troubleOfSync(own)
  return troubleOfDisks(own.disks) ?? trouble ?? troubleOfSecrets(own) ?? progressOf(own, definition, revision, guest)
}

const isFillingToGrow = (live: readonly DataVolume[], definition: Definition): boolean =>
  disksOf(definition).some(
    ({ claim, made, snapshot }) =>
      made !== undefined &&
      snapshot !== undefined &&
      live.some((disk) => disk.metadata.name === claim && isPending(disk)),
  )

export function troubleOfDisks(disks: DataVolume[]): Assessment | undefined {
  const broken = disks.find((disk) => disk.status?.phase === 'Failed')
  if (broken) return failed(`disk ${broken.metadata.name} failed: ${words(broken.status?.conditions)}`)
  const struggling = disks.find((disk) => isPending(disk) && disk.status?.conditions?.some(isError))
  if (!struggling) return undefined
  const reason = words(struggling.status?.conditions?.filter(isError))
  return troubled(`disk ${struggling.metadata.name} cannot be made: ${reason}`)
}

/** CDI goes on trying after an `Error`, and waits for somebody to mend what it calls not valid: a claim, or a clone. */
const isError = ({ status, reason = '' }: Condition) =>
  status === 'False' && (reason.startsWith('Err') || reason === 'CloneValidationFailed')

const isPending = ({ status }: DataVolume) => status?.phase !== 'Succeeded'

/** True while CDI makes a disk; one that waits for its machine to start does not hold the machine up. */
const isInTheMaking = (disk: DataVolume) =>
  isPending(disk) && !['WaitForFirstConsumer', 'PendingPopulation'].includes(disk.status?.phase ?? '')

/** Argo CD tries ten times within some seven minutes, and then begins anew: so many tries take two minutes, in which much comes right by itself. */
const manyRetries = 5

/**
 * Words of an outage: of Argo CD's own parts, of the Git server as it sees it, of the cluster, or of a webhook there. Nothing of
 * ours is wrong, and Argo CD goes on trying by itself: who gave up for that would undo every run that is under way.
 */
const outage = new RegExp(
  [
    'failed to get cluster info',
    'code = (?:Unavailable|DeadlineExceeded|Canceled)\\b',
    'connection (?:refused|reset)|no route to host|no such host|TLS handshake timeout|i/o timeout',
    'deadline exceeded|Client\\.Timeout|timed out waiting',
    'no endpoints available|currently unable to handle the request|etcdserver: ',
  ].join('|'),
  'i',
)

/** Argo CD's own trouble: a manifest that the cluster refuses, a repository that it may not read. An outage is waited out. */
export function troubleOfSync({ application }: Pick<MachineView, 'application'>): Assessment | undefined {
  const {
    operationState: { phase, retryCount = 0, message = 'no reason given', operation } = {},
    conditions,
    sync,
  } = application?.status ?? {}
  // While it pauses between its tries of an older commit, it does not look at ours.
  const isOfThis = operation?.sync?.revision !== undefined && operation.sync.revision === sync?.revision
  const isGivenUp = phase === 'Failed' || (phase === 'Running' && retryCount >= manyRetries && isOfThis)
  const reason = message.replace(/\.? Retrying attempt #\d+ at .*$/, '')
  const error = conditions?.find(({ type }) => type.endsWith('Error'))
  const said = [
    ...(isGivenUp && sync?.status !== 'Synced' ? [`Argo CD cannot apply it: ${reason}`] : []),
    ...(error ? [`Argo CD reports ${error.type}: ${error.message}`] : []),
  ]
  // What was an outage when it was tried last may be followed by what is no outage.
  const trouble = said.find((one) => !outage.test(one))
  if (trouble !== undefined) return troubled(trouble)
  return said[0] === undefined ? undefined : waiting(said[0])
}

/** Without its Secret a guest never starts, and the machine itself would only say Starting. */
export function troubleOfSecrets({ secrets }: { secrets: readonly ExternalSecret[] }): Assessment | undefined {
  const isFailing = ({ type, status, reason }: Condition) =>
    type === 'Ready' && status === 'False' && reason === 'SecretSyncedError'
  const failing = secrets.find(({ status }) => status?.conditions?.some(isFailing))
  if (!failing) return undefined
  const reason = words(failing.status?.conditions)
  return troubled(`ExternalSecret ${failing.metadata.name} cannot be synced: ${reason}`)
}

/**
 * Whether the cluster shows this commit, and not in part. What bears the operation (the machine, an image's DataSource) says
 * which run's definition it was made from; that everything beside it is there as well is what Synced says, but of the commit
 * that Argo CD compared last. That is ours, or one after it once the refresh that was asked for after our push is over: Argo
 * CD takes the annotation off together with writing what it found. Of any other revision only Git could tell which came
 * first, and nobody here may read Git.
 */
export function showsCommit(
  application: Application | undefined,
  bearer: { metadata: Metadata } | undefined,
  operation: string,
  revision: string | undefined,
): boolean {
  const { status, revision: compared } = application?.status?.sync ?? {}
  const isCompared = compared === revision || application?.metadata.annotations?.[refreshAnnotation] === undefined
  return bearer?.metadata.annotations?.[operationAnnotation] === operation && status === 'Synced' && isCompared
}

function progressOf(view: MachineView, definition: Definition, revision: string | undefined, guest: Guest): Assessment {
  const { application, machine, instance, disks } = view
  if (!application) return waiting('Argo CD has no Application for it yet')
  // Argo CD writes an empty status before it has compared for the first time.
  const sync = application.status?.sync?.status || 'starting'
  if (!machine) return waiting(`Argo CD is ${sync}, the VirtualMachine is not there yet`)
  if (!showsCommit(application, machine, definition.operation, revision))
    return waiting(`Argo CD is ${sync}, the cluster does not show this commit yet`)
  const status = statusOf(machine)
  if (errorStatuses.includes(status) || (errorsOfClaims.includes(status) && !disks.some(isInTheMaking))) {
    const reason = words([
      ...disks.filter(isPending).flatMap((disk) => disk.status?.conditions ?? []),
      ...(instance?.status?.conditions ?? []),
      ...(machine.status?.conditions ?? []),
    ])
    return troubled(`the VirtualMachine says ${status}: ${reason}`)
  }
  // https://github.com/kubevirt/kubevirt/blob/v1.8.0/pkg/virt-controller/watch/vm/vm.go#L1429
  const { observedGeneration = 0, desiredGeneration = 0 } = machine.status ?? {}
  const seen = guest === 'started' ? observedGeneration : desiredGeneration
  const observed = seen >= (machine.metadata.generation ?? 0)
  if (!machine.status?.ready || !observed) return waiting(`the VirtualMachine is ${status}${importing(disks)}`)
  if (!isReady(view, definition)) return waiting('the VirtualMachine is Running, its guest agent has not connected yet')
  return reached(`VM ${definition.name} is ${status} on node ${instance?.status?.nodeName ?? 'unknown'}`)
}

/** The guest has come up, and its agent speaks where one is expected. */
export function isReady({ machine, instance }: MachineView, { guestAgent }: Definition): boolean {
  const agent = instance?.status?.conditions?.some(({ type, status }) => type === 'AgentConnected' && status === 'True')
  return machine?.status?.ready === true && (!guestAgent || agent === true)
}

/** The cluster shows this commit, and KubeVirt has begun to start the machine. Whether a guest comes up of it is not asked. */
export function assessApplied(view: MachineView, definition: Definition, revision: string | undefined): Assessment {
  const { application, machine } = view
  const trouble = troubleOfSync(view)
  if (trouble) return trouble
  if (!machine || !showsCommit(application, machine, definition.operation, revision))
    return waiting('the cluster does not show this commit yet')
  const status = statusOf(machine)
  if (['Stopped', 'Stopping', 'Unknown'].includes(status)) return waiting(`the VirtualMachine is ${status}`)
  return reached(`VM ${definition.name} is ${status}`)
}

/** KubeVirt says CrashLoopBackOff between two tries, and Starting during each; it counts those that failed until one worked. */
function statusOf({ status: { printableStatus = 'Unknown', startFailure } = {} }: VirtualMachine): string {
  const isAgain = printableStatus === 'Starting' && (startFailure?.consecutiveFailCount ?? 0) > 1
  return isAgain ? 'CrashLoopBackOff' : printableStatus
}

/** Which disks are still being made, with how far they are. */
function importing(disks: DataVolume[]): string {
  const pending = disks.filter(isPending)
  const one = ({ metadata, status }: DataVolume) =>
    `${metadata.name} ${status?.phase || 'Pending'}${percent(status?.progress)}`
  return pending.length === 0 ? '' : `; disks: ${pending.map(one).join(', ')}`
}

/** Progress in steps of ten, so that a long import does not make an event each second. */
export function percent(progress: string | undefined): string {
  const value = Number.parseFloat(progress ?? '')
  return Number.isNaN(value) ? '' : ` ${Math.floor(value / 10) * 10}%`
}
