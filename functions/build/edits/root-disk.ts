import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { daysAfter } from '../../../shared/days.ts'
import { DroverError } from '../../../shared/errors.ts'
import { rootDiskName } from '../../../shared/kubevirt/manifest.ts'
import { requestOf } from '../../../shared/request.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import type { Image } from '../../../shared/schema/machine.ts'
import type { Edit } from '../edit.ts'

const keptDays = 7

/** The root disk from the latest golden image, beside the one that is in use; nothing when that one is current. */
export const image: Edit = (definition, { id, facts }) => {
  const wanted = facts.nextImage
  if (!wanted) throw new DroverError('unreadable', `Cannot build: run ${id} has found no image`)
  const version = 'dataSource' in wanted ? facts.imageVersion : undefined
  const isCurrent = isDeepStrictEqual(wanted, definition.image) && version === definition.rootDisk.version
  return isCurrent ? definition : { ...definition, nextRoot: toRoot(definition, wanted, version) }
}

/** Named after its image, and after what a DataSource stands for now: it means another disk each time that it is published. */
function toRoot(definition: Definition, wanted: Image, version: string | undefined) {
  const { size, storageClass } = definition.rootDisk
  const plain = rootDiskName({ name: definition.name, image: wanted })
  const digest = createHash('sha256').update(`${plain} ${version}`).digest('hex')
  const name = version === undefined ? plain : `${definition.name}-root-${digest.slice(0, 8)}`
  return { name, image: wanted, size, ...(storageClass && { storageClass }), ...(version && { version }) }
}

/** Puts the new root disk in place of the old one, which is kept for a while, and turns the machine on as it was. */
export const swap: Edit = (definition, run) => {
  const { nextRoot, oldRoots = [], rootDisk, ...rest } = definition
  if (!nextRoot) return definition
  const running = run.facts.wasRunning === true
  const { keepDays = keptDays } = requestOf(run, 'repave')
  const { name, image: next, until: _, ...disk } = nextRoot
  const old = { ...rootDisk, name: rootDiskName(definition), image: rest.image, until: daysAfter(run.since, keepDays) }
  return {
    ...rest,
    image: next,
    rootDisk: { ...disk, name },
    oldRoots: [...oldRoots.filter((one) => one.name !== old.name), old],
    running,
  }
}
