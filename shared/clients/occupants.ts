import type { Application, Occupants, VirtualMachine } from '../machines.ts'
import { type ArgoHub, type Context, getObject } from './access.ts'
import { kinds } from './kinds.ts'

/** What stands under a machine's name on the hub and on its cluster. */
export const openOccupants = (to: Context, { access, argocdNamespace }: ArgoHub): Occupants => ({
  async of({ cluster, namespace, name }) {
    const [application, machine] = await Promise.all([
      getObject<Application>(access, { ...kinds.applications, namespace: argocdNamespace, name }),
      getObject<VirtualMachine>(to(cluster), { ...kinds.virtualMachines, namespace, name }),
    ])
    return { application, machine }
  },
})
