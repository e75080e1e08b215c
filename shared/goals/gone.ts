import { lookAtData } from '../claims.ts'
import { destroyedClaims, stayingClaims } from '../kubevirt/data-disks.ts'
import { diskLabel } from '../kubevirt/manifest.ts'
import type { DataVolume } from '../machines.ts'
import type { Definition } from '../schema/definition.ts'
import { failed, reached, waiting } from './assessment.ts'
import type { Goal } from './goal.ts'

/** Nothing of the machine is left on its cluster but the disks that are kept, and those are the ones that were there. */
export const gone: Goal = {
  assess({ application, machine, instance, disks }, { definition }) {
    const left = [
      ...(application ? ['its Application'] : []),
      ...(machine ? ['the VirtualMachine'] : []),
      ...(instance ? ['the guest'] : []),
      ...disks.filter((disk) => isGoing(disk, definition)).map(({ metadata }) => metadata.name),
    ]
    return left.length === 0
      ? reached(`VM ${definition.name} is gone`)
      : waiting(`the cluster still has ${left.join(', ')}`)
  },
  async confirm({ definition, facts }, machines) {
    const { cluster, namespace, name } = definition
    const names = stayingClaims(definition)
    const { claims, problems } = await lookAtData(machines, definition, facts.claims, names)
    if (problems.length > 0) return failed(problems.join('; '))
    const rest = names.length === 0 ? '' : `; kept ${names.join(', ')}`
    const message = `VM ${name} is gone from ${cluster}${rest}`
    return reached(message, { report: [message], kept: names.map((one) => `${namespace}/${one}`), claims })
  },
}

/**
 * True for a disk that goes with the machine. A data disk does only where it is destroyed by its name: one that the machine
 * has let go of before, or that was kept of an earlier machine of this name, is still there, and stays.
 */
function isGoing({ metadata }: DataVolume, definition: Definition): boolean {
  const { name, labels = {} } = metadata
  if (destroyedClaims(definition).includes(name)) return true
  return labels[diskLabel] !== 'data' && !stayingClaims(definition).includes(name)
}
