import { isUnfilled, toClaims } from '../claims.ts'
import { allClaims, disksOf, type MachineDisk } from '../kubevirt/manifest.ts'
import type { Claim, DataVolume, MachineView } from '../machines.ts'
import type { Definition } from '../schema/definition.ts'
import type { Facts, SnapshotVolumes } from '../step.ts'
import { type Assessment, failed, reached, troubled, waiting } from './assessment.ts'
import { isMade } from './disk.ts'
import type { Goal } from './goal.ts'
import { troubleOfDisks, troubleOfSync } from './trouble.ts'

/**
 * The restore is complete, and every claim of the machine is there again, under its name and bound, or bound and filled once a
 * pod uses it, which is as far as KubeVirt brings a class that waits for one; or the new disks are made, as far as they can be.
 */
export const restored: Goal = {
  extras: ['restores'],
  assess(view, { definition, facts }) {
    const { restore } = definition
    if (!restore) return madeAnew(view, definition, facts)
    const found = view.restores?.find(({ metadata }) => metadata.name === restore.name)
    if (!found) return troubleOfSync(view) ?? waiting(`restore ${restore.name} is not there yet`)
    if (found.spec?.virtualMachineSnapshotName !== restore.snapshot)
      return troubleOfSync(view) ?? waiting(`restore ${restore.name} of another snapshot is to go first`)
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
  async confirm({ definition, facts }, machines) {
    const { cluster, namespace, restore } = definition
    const snapshot = restore?.snapshot ?? facts.restoredFrom?.snapshot
    if (snapshot === undefined) return reached(nothing)
    const names = allClaims(definition)
    const live = await machines.claims(cluster, namespace, names)
    const late = facts.restoredFrom ? newDisks(definition, facts.restoredFrom).filter(({ atOnce }) => !atOnce) : []
    const isThere = (claim: Claim) =>
      claim.status?.phase === 'Bound' ||
      (restore ? isUnfilled(claim) : late.some((disk) => disk.claim === claim.metadata.name))
    const open = names.filter((name) => !live.some((one) => one.metadata.name === name && isThere(one)))
    if (open.length > 0) return waiting(`the claims ${open.join(', ')} are not bound yet`)
    // They came anew because this run wanted it: from now on these are the machine's.
    const message = `Restored the disks of VM ${definition.name} from ${snapshot}${restore ? '' : ': they are new ones, and those from before are kept'}`
    const unfilled = live.filter(isUnfilled).map(({ metadata }) => metadata.name)
    return reached(message, { claims: toClaims(live), ...(unfilled.length > 0 && { unfilled }), report: [message] })
  },
}

const nothing = 'Nothing is to be restored'

/** The disks that are made from a snapshot are filled, beside those that were in use: the snapshot is not needed any more. */
function madeAnew(view: MachineView, definition: Definition, { restoredFrom: from }: Facts): Assessment {
  if (!from) return reached(nothing)
  const wanted = newDisks(definition, from)
  const found = view.disks.filter(({ metadata }) => wanted.some(({ claim }) => claim === metadata.name))
  const isDone = ({ claim, atOnce }: MachineDisk) =>
    found.some((one) => one.metadata.name === claim && (atOnce ? isFilled : isMade)(one))
  const open = wanted.find((one) => !isDone(one))
  if (!open) return reached(`Made new disks from ${from.snapshot}`)
  // A claim grows once it is bound, and until then Argo CD says that the cluster refuses it.
  const troubleOfMaking = found.length < wanted.length ? troubleOfSync(view) : undefined
  return troubleOfDisks(found) ?? troubleOfMaking ?? waiting(`disk ${open.claim} is not filled yet`)
}

/** The disks that are made from these volumes. */
const newDisks = (definition: Definition, { volumes }: SnapshotVolumes): MachineDisk[] =>
  disksOf(definition).filter(({ snapshot = '' }) => Object.values(volumes).includes(snapshot))

const isFilled = ({ status }: DataVolume) => status?.phase === 'Succeeded'
