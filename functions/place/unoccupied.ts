import { isManaged, operationAnnotation } from '../../shared/kubevirt/manifest.ts'
import type { MachineAddress, MachineView, Occupants } from '../../shared/machines.ts'
import { type Outcome, type Run, refused } from '../../shared/step.ts'
import { placedOn } from './planned.ts'

/**
 * Lets a placed machine go on only where its name is free in the clusters too. The fleet knows what it made itself; Argo
 * CD would take over an Application or a VirtualMachine that people made, and an undo would then delete it with its disks.
 */
export async function unlessOccupied(run: Run, outcome: Outcome, occupants: Occupants): Promise<Outcome> {
  const { name } = run.facts
  const cluster = placedOn(outcome)
  if (name === undefined || cluster === undefined) return outcome
  const address = { cluster, namespace: run.request.namespace, name }
  const stranger = strangerIn(await occupants.of(address), run, address)
  return stranger === undefined ? outcome : refused(`Cannot place ${name} on ${cluster}: ${stranger}`)
}

function strangerIn(
  { application, machine }: Pick<MachineView, 'application' | 'machine'>,
  run: Run,
  address: MachineAddress,
) {
  const { destination } = application?.spec ?? {}
  if (application && (destination?.name !== address.cluster || destination.namespace !== address.namespace))
    return `Argo CD has an Application of that name for something else already`
  if (application && !isManaged(application.metadata))
    return `Argo CD has an Application of that name already, which Drover did not make`
  if (machine && machine.metadata.annotations?.[operationAnnotation] !== `${run.id}.create`)
    return `namespace ${address.namespace} has a VirtualMachine of that name already, which this run did not make`
  return undefined
}
