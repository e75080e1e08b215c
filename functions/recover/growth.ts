import { valueAt } from '../../shared/dict.ts'
import type { Change } from '../../shared/fleet.ts'
import { claimOf, disksOf, rootDiskName } from '../../shared/kubevirt/manifest.ts'
import type { Claim } from '../../shared/machines.ts'
import { bytes } from '../../shared/quantity.ts'
import type { Definition } from '../../shared/schema/definition.ts'
import { parseYaml } from '../../shared/yaml.ts'

/** A disk that the run has let grow in Git, by its claim. */
export interface Growth {
  claim: string
  before: Sized
  now: Sized
}

interface Sized {
  size: string
  made?: string | undefined
}

/**
 * The disks that the run has let grow in Git, and that the cluster has not. So is one that the run has made in the place of one that had
 * grown, as long as its claim is not bound: until then nothing of the machine can be applied but with trouble.
 */
export function ungrownOf(
  { before, now }: { before: Definition; now: Definition },
  claims: readonly Claim[],
): Growth[] {
  const disks = disksOf(before)
  return disksOf(now).flatMap((disk) => {
    if (disk.made === undefined) return []
    const was = disks.find(({ claim }) => claim === disk.claim)
    const live = claims.find(({ metadata }) => metadata.name === disk.claim)
    const growth = { claim: disk.claim, before: was ?? { size: disk.size }, now: disk }
    const isDone = was
      ? bytes(disk.size) === bytes(was.size) || hasGrown(growth, live)
      : live?.status?.phase === 'Bound'
    return isDone ? [] : [growth]
  })
}

/**
 * True where the cluster has let a disk grow. One whose claim is only asked for more stays so where Git had a size of it before, for no
 * claim may go back to ask for what it has or less, nor on an older Kubernetes for less than it has asked for.
 */
function hasGrown({ before, now }: Growth, claim: Claim | undefined): boolean {
  const isEnough = (size = '0') => bytes(size) >= bytes(now.size)
  const isAsked = before.made !== undefined && isEnough(claim?.spec?.resources?.requests?.storage)
  return isAsked || isEnough(claim?.status?.capacity?.storage)
}

/** What a machine is without a growth that the cluster refuses: with it nothing of the machine could be applied. */
export function withoutGrowth(definition: Definition, ungrown: readonly Growth[]): Definition {
  const sized = <D extends Sized>(disk: D, claim: string) => {
    const found = ungrown.find((one) => one.claim === claim)
    if (!found) return disk
    const { made: _, ...rest } = disk
    const { size, made } = found.before
    return { ...rest, size, ...(made !== undefined && { made }) }
  }
  return {
    ...definition,
    rootDisk: sized(definition.rootDisk, rootDiskName(definition)),
    disks: definition.disks.map((disk) => sized(disk, claimOf(definition, disk))),
  }
}

/** True for the claim of such a disk that is of the size again that it had: it is none the smaller for it. All else of a disk is guarded. */
export function isBackToSize({ content }: Change, ungrown: readonly Growth[]): boolean {
  if (content === null || ungrown.length === 0) return false
  const object = parseYaml(content)
  if (valueAt(object, ['kind']) !== 'PersistentVolumeClaim') return false
  const size = valueAt(object, ['spec', 'resources', 'requests', 'storage'])
  const found = ungrown.find(({ claim }) => claim === valueAt(object, ['metadata', 'name']))
  return found !== undefined && bytes(String(size)) === bytes(found.before.size)
}
