import { claimProblems, toClaims } from '../claims.ts'
import { dataClaims } from '../kubevirt/manifest.ts'
import { failed, reached, waiting } from './assessment.ts'
import type { Goal } from './goal.ts'

/** Nothing of the machine is left on its cluster but the disks that are kept, and those are the ones that were there. */
export const gone: Goal = {
  assess({ application, machine, instance, disks }, { definition }) {
    const kept = dataClaims({ ...definition, disks: definition.disks.filter(({ destroyed }) => !destroyed) })
    const left = [
      ...(application ? ['its Application'] : []),
      ...(machine ? ['the VirtualMachine'] : []),
      ...(instance ? ['the guest'] : []),
      ...disks.map(({ metadata }) => metadata.name).filter((name) => !kept.includes(name)),
    ]
    return left.length === 0
      ? reached(`VM ${definition.name} is gone`)
      : waiting(`the cluster still has ${left.join(', ')}`)
  },
  async confirm({ definition, facts }, machines) {
    const { cluster, namespace, name } = definition
    const keeps = definition.disks.filter(({ destroyed }) => !destroyed)
    const names = dataClaims({ ...definition, disks: keeps })
    const live = await machines.claims(cluster, namespace, names)
    const problems = claimProblems(names, facts.claims ?? {}, live)
    if (problems.length > 0) return failed(problems.join('; '))
    const rest = names.length === 0 ? '' : `; kept ${names.join(', ')}`
    const message = `VM ${name} is gone from ${cluster}${rest}`
    return reached(message, {
      report: [message],
      kept: names.map((one) => `${namespace}/${one}`),
      claims: toClaims(live),
    })
  },
}
