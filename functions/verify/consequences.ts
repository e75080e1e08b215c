import { destroyedClaims, stayingClaims } from '../../shared/kubevirt/data-disks.ts'
import { addedDiskName } from '../../shared/kubevirt/manifest.ts'
import { keptUntil } from '../../shared/kubevirt/new-disks.ts'
import { type RoundName, roundOf } from '../../shared/lifecycles.ts'
import type { Definition } from '../../shared/schema/definition.ts'
import type { Facts, Run } from '../../shared/step.ts'

type Says = (definition: Definition, facts: Facts, run: string) => string[]

const turnedOn: Says = ({ running }, { wasRunning }) =>
  running && wasRunning !== undefined ? ['the machine is turned on'] : []

/** What a round means for people: what restarts, what is kept, what is lost. */
const meanings: Partial<Record<RoundName, Says>> = {
  stop: ({ running }, { wasRunning }) => (!running && wasRunning ? ['the machine is turned off'] : []),
  start: turnedOn,
  save: ({ snapshots = [] }, _, run) =>
    snapshots
      .filter((one) => one.run === run)
      .map(({ name, purpose }) =>
        purpose === 'final'
          ? `snapshot ${name} is taken, and stays when the machine is gone`
          : `snapshot ${name} is taken to go back to`,
      ),
  snapshot: ({ snapshots = [] }, _, run) =>
    snapshots.filter((one) => one.run === run).map(({ name }) => `snapshot ${name} is taken`),
  resize: ({ name: machine, size, rootDisk, disks }, _, run) => [
    `the machine has ${sizeOf(size)}`,
    ...[{ ...rootDisk, name: 'root' }, ...disks].flatMap((disk) =>
      disk.made === undefined ? [] : [`disk ${disk.name} is of ${disk.size}: none shrinks again`],
    ),
    ...disks
      .filter(({ name, claim }) => claim === addedDiskName(machine, name, run))
      .map(({ name }) => `disk ${name} is new`),
  ],
  restore: ({ restore, oldRoots = [] }, { restoredFrom: from }) => [
    ...(restore
      ? [`all disks are put back to ${restore.snapshot}: what was written since is lost, but for the snapshot before`]
      : []),
    ...(from
      ? [
          `all disks are made anew from ${from.snapshot}, for KubeVirt there does not restore in place; the data disks from before are kept`,
          `the old root disk ${oldRoots.at(-1)?.name} is kept until ${oldRoots.at(-1)?.until}, and not used`,
        ]
      : []),
  ],
  patch: ({ patch }, { restoring }) => [
    ...(patch ? ['the root disk is changed while the machine is off'] : []),
    ...(patch && restoring === 'new disks'
      ? ['where that fails a new root disk takes its place, for KubeVirt there does not restore in place']
      : []),
  ],
  image: ({ nextRoot }) =>
    nextRoot
      ? [`root disk ${nextRoot.name} is made from the latest image`]
      : ['the image is current: nothing is to be done'],
  swap: (definition, facts, run) => [
    ...(definition.oldRoots ?? []).map((root) => `the old root disk ${root.name} is ${keptUntil(root)}, and not used`),
    ...turnedOn(definition, facts, run),
  ],
  migrate: ({ migration }) => (migration ? ['the guest moves to another node while it runs'] : []),
  remove: (definition) => {
    const kept = stayingClaims(definition)
    const lost = destroyedClaims(definition)
    return [
      'the machine and its root disk are lost',
      ...(kept.length > 0 ? [`kept: ${kept.join(', ')}`] : []),
      ...(lost.length > 0 ? [`destroyed, with what is on them: ${lost.join(', ')}`] : []),
    ]
  },
}

const sizeOf = (size: Definition['size']) =>
  'instancetype' in size ? `instance type ${size.instancetype}` : `${size.cores} cores and ${size.memory}`

/** What would follow from a round, added to what followed from those before. */
export function consequences({ id, lifecycle, task, facts }: Run): Facts {
  const round = roundOf(lifecycle, task)
  const says = round && facts.definition ? (meanings[round]?.(facts.definition, facts, id) ?? []) : []
  return { report: [...(facts.report ?? []), ...says] }
}
