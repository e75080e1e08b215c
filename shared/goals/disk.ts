import { dataClaims, disksOf } from '../kubevirt/manifest.ts'
import type { DataVolume, MachineView } from '../machines.ts'
import { bytes } from '../quantity.ts'
import type { Definition } from '../schema/definition.ts'
import { reached, waiting } from './assessment.ts'
import type { Goal } from './goal.ts'
import { troubleOfDisks, troubleOfSync } from './trouble.ts'

/** Phases in which a disk is made as far as it can be before a machine starts from it. */
export const isMade = ({ status }: DataVolume) =>
  ['Succeeded', 'WaitForFirstConsumer', 'PendingPopulation'].includes(status?.phase ?? '')

const disk = (view: MachineView, name: string) => view.disks.find(({ metadata }) => metadata.name === name)

const isCurrent = 'The image is current already: nothing was changed'

/** The new root disk is there, beside the one that is in use. */
export const imaged: Goal = {
  assess(view, { definition }) {
    const { nextRoot } = definition
    if (!nextRoot) return reached(isCurrent, { report: [isCurrent] })
    const found = disk(view, nextRoot.name)
    if (!found) return troubleOfSync(view) ?? waiting(`disk ${nextRoot.name} is not there yet`)
    if (isMade(found)) return reached(`Made disk ${nextRoot.name}`)
    const trouble = troubleOfDisks([found])
    return trouble ?? waiting(`disk ${nextRoot.name} is ${found.status?.phase ?? 'Pending'}`)
  },
}

/** Every disk has the size that Git says. */
export const resized: Goal = {
  assess(view, { definition }) {
    const names = dataClaims(definition)
    const open = names.find((name) => !disk(view, name))
    if (open !== undefined) return troubleOfSync(view) ?? waiting(`disk ${open} is not there yet`)
    return (
      troubleOfDisks(view.disks.filter(({ metadata }) => names.includes(metadata.name))) ??
      reached('The disks are there')
    )
  },
  async confirm({ definition }, machines, view) {
    const { cluster, namespace } = definition
    const grown = disksOf(definition).filter(({ made }) => made !== undefined)
    const claims = await machines.claims(
      cluster,
      namespace,
      grown.map(({ claim }) => claim),
    )
    const small = grown.find(({ claim, size }) => {
      const capacity = claims.find(({ metadata }) => metadata.name === claim)?.status?.capacity?.storage
      return capacity === undefined || bytes(capacity) < bytes(size)
    })
    // The cluster may let it grow never: its class does not, or its claim has more already.
    if (small) return troubleOfSync(view) ?? waiting(`claim ${small.claim} has not grown to ${small.size} yet`)
    const message = sizeOf(definition)
    return reached(message, { report: [message] })
  },
}

/** The size of a machine, for people. */
function sizeOf({ name, size, rootDisk, disks }: Definition): string {
  const power = 'cores' in size ? `${size.cores} cores and ${size.memory}` : `instance type ${size.instancetype}`
  const all = [{ ...rootDisk, name: 'root' }, ...disks].map((disk) => `${disk.name} ${disk.size}`)
  return `VM ${name} has ${power}, and the disks ${all.join(', ')}`
}
