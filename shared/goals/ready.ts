import { allClaims, disksOf } from '../kubevirt/manifest.ts'
import type { DataVolume, MachineView, VirtualMachine } from '../machines.ts'
import type { Definition } from '../schema/definition.ts'
import { type Assessment, reached, troubled, waiting } from './assessment.ts'
import { showsCommit } from './shows-commit.ts'
import { isPending, troubleOfDisks, troubleOfSecrets, troubleOfSync } from './trouble.ts'
import { percent, words } from './words.ts'

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

/** True while CDI makes a disk; one that waits for its machine to start does not hold the machine up. */
const isInTheMaking = (disk: DataVolume) =>
  isPending(disk) && !['WaitForFirstConsumer', 'PendingPopulation'].includes(disk.status?.phase ?? '')

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
  if (definition.guestAgent && !hasAgent(view))
    return waiting('the VirtualMachine is Running, its guest agent has not connected yet')
  return reached(`VM ${definition.name} is ${status} on node ${instance?.status?.nodeName ?? 'unknown'}`)
}

/** The guest agent speaks. */
export const hasAgent = ({ instance }: MachineView): boolean =>
  instance?.status?.conditions?.some(({ type, status }) => type === 'AgentConnected' && status === 'True') === true

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
