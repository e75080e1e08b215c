import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { daysAfter, keptDays } from '../../../shared/days.ts'
import { DroverError } from '../../../shared/errors.ts'
import { rootDiskName } from '../../../shared/kubevirt/manifest.ts'
import { oldRoot } from '../../../shared/kubevirt/new-disks.ts'
import { requestOf } from '../../../shared/request.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import type { Image } from '../../../shared/schema/machine.ts'
import type { Edit } from '../edit.ts'

/** The root disk from the latest golden image, beside the one that is in use; nothing when that one is current. */
export const image: Edit = (definition, { id, facts }) => {
  const wanted = facts.nextImage
  if (!wanted) throw new DroverError('unreadable', `Cannot build: run ${id} has found no image`)
  const version = 'dataSource' in wanted ? facts.imageVersion : undefined
  const isCurrent = isDeepStrictEqual(wanted, definition.image) && version === definition.rootDisk.version
  return isCurrent ? definition : { ...definition, nextRoot: toRoot(definition, wanted, version, id) }
}

/**
 * Named after its image, what a DataSource stands for now, and the run: a disk that was made from the same image before may
 * still be kept, with what its guest wrote to it.
 */
function toRoot({ name, rootDisk }: Definition, image: Image, version: string | undefined, run: string) {
  const { size, storageClass } = rootDisk
  const digest = createHash('sha256')
    .update(`${rootDiskName({ name, image })} ${version} ${run}`)
    .digest('hex')
  return {
    name: `${name}-root-${digest.slice(0, 8)}`,
    ...{ image, size },
    ...(storageClass && { storageClass }),
    ...(version && { version }),
  }
}

/**
 * Puts the new root disk in place of the old one, which is kept for a while, and turns the machine on as it was. While that is off the new
 * one may be no more than a wish, for its storage fills it once a pod uses it: the old one's time begins when it is turned on.
 */
export const swap: Edit = (definition, run) => {
  const { nextRoot, oldRoots = [], rootDisk: _, ...rest } = definition
  if (!nextRoot) return definition
  const running = run.facts.wasRunning === true
  const { keepDays = keptDays } = requestOf(run, 'repave')
  const { name, image: next, until: __, ...disk } = nextRoot
  return {
    ...rest,
    image: next,
    rootDisk: { ...disk, name },
    oldRoots: [...oldRoots, oldRoot(definition, running ? daysAfter(run.since, keepDays) : undefined)],
    running,
  }
}
