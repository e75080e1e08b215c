import { toClaims } from '../claims.ts'
import { dataClaims, rootDiskName } from '../kubevirt/manifest.ts'
import { failed, reached, troubled, waiting } from './assessment.ts'
import type { Goal } from './goal.ts'
import { troubleOfSync } from './ready.ts'

/** The restore is complete, and every claim of the machine is there again, under its name and bound. */
export const restored: Goal = {
  extras: ['restores'],
  assess(view, { definition }) {
    const { restore } = definition
    if (!restore) return reached('Nothing is to be restored')
    const found = view.restores?.find(({ metadata }) => metadata.name === restore.name)
    if (!found) return troubleOfSync(view) ?? waiting(`restore ${restore.name} is not there yet`)
    const { complete, conditions = [] } = found.status ?? {}
    // KubeVirt says why in the reason; what it tries again is `Progressing` False, what it gives up is a `Failure`.
    const reasonOf = (type: string, status: string) =>
      conditions.find((one) => one.type === type && one.status === status)?.reason
    const failure = reasonOf('Failure', 'True')
    if (failure !== undefined) return failed(`restore ${restore.name} failed: ${failure}`)
    const error = complete ? undefined : reasonOf('Progressing', 'False')
    if (error !== undefined) return troubled(`restore ${restore.name} failed and is tried again: ${error}`)
    if (!complete) return waiting(`restore ${restore.name} goes on: ${reasonOf('Progressing', 'True') ?? 'it begins'}`)
    return reached(`Restored ${restore.snapshot}`)
  },
  async confirm({ definition }, machines) {
    const { cluster, namespace, restore } = definition
    const names = [rootDiskName(definition), ...dataClaims(definition)]
    const live = await machines.claims(cluster, namespace, names)
    const open = names.filter(
      (name) => !live.some((one) => one.metadata.name === name && one.status?.phase === 'Bound'),
    )
    if (open.length > 0) return waiting(`the claims ${open.join(', ')} are not bound yet`)
    if (!restore) return reached('Nothing is to be restored')
    // They came anew because this run wanted it: from now on these are the machine's.
    const message = `Restored the disks of VM ${definition.name} from ${restore.snapshot}`
    return reached(message, { claims: toClaims(live), report: [message] })
  },
}
