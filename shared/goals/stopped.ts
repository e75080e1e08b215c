import { allClaims } from '../kubevirt/manifest.ts'
import type { Machines, MachineView } from '../machines.ts'
import { type Assessment, reached, waiting } from './assessment.ts'
import type { Aim, Goal } from './goal.ts'
import { showsCommit } from './shows-commit.ts'
import { troubleOfSync } from './trouble.ts'

/**
 * The machine is off, and nothing holds its disks any more: a program that writes to a disk while a guest runs destroys
 * it, and `Stopped` alone is also what a machine says that was never started.
 * https://github.com/kube-burner/kube-burner/issues/808
 */
export const stopped: Goal = {
  assess: (view, aim) =>
    aim.definition.running ? reached('The machine is not to be stopped') : assessStopped(view, aim),
  async confirm({ definition }, machines) {
    if (definition.running) return reached('The machine is not to be stopped')
    const { cluster, namespace, name } = definition
    return (
      (await heldBy(machines, cluster, namespace, allClaims(definition))) ??
      reached(`VM ${name} is off, and nothing holds its disks`)
    )
  },
}

/** What to wait for before anything may write to these disks: the pods that hold them. Undefined where there is none. */
export async function heldBy(
  machines: Pick<Machines, 'holders'>,
  cluster: string,
  namespace: string,
  claims: readonly string[],
): Promise<Assessment | undefined> {
  const holders = await machines.holders(cluster, namespace, claims)
  return holders.length === 0 ? undefined : waiting(`the disks are still held by ${holders.join(', ')}`)
}

export function assessStopped(view: MachineView, { definition, revision }: Aim): Assessment {
  const { machine, instance, application } = view
  const trouble = troubleOfSync(view)
  if (trouble) return trouble
  if (!machine) return waiting('the VirtualMachine is not there')
  if (!showsCommit(view.application, view.machine, definition.operation, revision))
    return waiting(
      `Argo CD is ${application?.status?.sync?.status || 'starting'}, the cluster does not show this commit yet`,
    )
  const { printableStatus = 'Unknown', runStrategy: seen = 'Halted' } = machine.status ?? {}
  // Not its observedGeneration, which is the one that its guest was started from, and stands still while there is no guest.
  // https://github.com/kubevirt/kubevirt/blob/v1.8.0/pkg/virt-controller/watch/vm/vm.go#L2425
  const isToBeOff = machine.spec?.runStrategy === 'Halted' && seen === 'Halted'
  if (!isToBeOff || printableStatus !== 'Stopped' || instance)
    return waiting(`the VirtualMachine is ${printableStatus}${instance ? ', its guest is still there' : ''}`)
  return reached(`VM ${definition.name} is off`)
}
