import { messageOf } from '../../shared/errors.ts'
import type { Change, Tree } from '../../shared/fleet.ts'
import { changed, imageManifestChanges, manifestChanges } from '../../shared/gitops/change-set.ts'
import { dataDiskLosses, markedDisks, markedSentence } from '../../shared/kubevirt/data-disks.ts'
import { heldSentence, holderOf, lockOf } from '../../shared/lock.ts'
import { type MachineAddress, placeOf } from '../../shared/machines.ts'
import {
  definitionFile,
  imageFile,
  imageLockFile,
  imagesFolder,
  machinesFolder,
  machinesIn,
} from '../../shared/paths.ts'
import { Definition } from '../../shared/schema/definition.ts'
import { GoldenImage } from '../../shared/schema/golden-image.ts'
import { foldersIn, readChecked } from '../../shared/schema/read.ts'
import { immutableProblems } from './immutable.ts'

/** What a machine or an image of a fleet has otherwise than its definition renders to. */
export interface Drift {
  /** Such as "shop/db-01 on site-a". */
  what: string
  /** What makes it alike: all of them are harmless. */
  changes: Change[]
  /** What only a person can do: a sentence each. With one of them nothing else of the machine is to be changed. */
  problems: string[]
}

/** Looks at each machine and each golden image of a fleet, one after the other. */
export async function* driftIn(tree: Tree): AsyncGenerator<Drift> {
  for (const cluster of await foldersIn(tree, machinesFolder))
    for (const namespace of await foldersIn(tree, `${machinesFolder}/${cluster}`))
      for (const name of await foldersIn(tree, machinesIn(cluster, namespace)))
        yield await ofMachine(tree, { cluster, namespace, name })
  for (const name of await foldersIn(tree, imagesFolder)) yield await ofImage(tree, name)
}

async function ofMachine(tree: Tree, address: MachineAddress): Promise<Drift> {
  const { cluster, namespace, name } = address
  const what = placeOf(address)
  const path = definitionFile(cluster, namespace, name)
  return reporting(what, async () => {
    const read = await readChecked(tree, path, Definition)
    if (!read?.ok) return { what, changes: [], problems: read?.problems ?? [`${path} is not there`] }
    const { value: definition } = read
    if (placeOf(definition) !== what) return { what, changes: [], problems: [`${path} is of ${placeOf(definition)}`] }
    const destroyed = markedDisks(definition)
    const marked = destroyed.length > 0 ? [markedSentence(destroyed)] : []
    return compared(tree, what, lockOf(address), await manifestChanges(definition, tree), marked)
  })
}

async function ofImage(tree: Tree, name: string): Promise<Drift> {
  const what = `image ${name}`
  const path = imageFile(name)
  return reporting(what, async () => {
    const read = await readChecked(tree, path, GoldenImage)
    if (!read?.ok) return { what, changes: [], problems: read?.problems ?? [`${path} is not there`] }
    if (read.value.name !== name) return { what, changes: [], problems: [`${path} is of image ${read.value.name}`] }
    return compared(tree, what, imageLockFile(name), await imageManifestChanges(read.value, tree))
  })
}

/** What cannot be read is told of, and the others are looked at all the same. */
const reporting = (what: string, look: () => Promise<Drift>) =>
  look().catch((error: unknown) => ({ what, changes: [], problems: [messageOf(error)] }))

async function compared(
  tree: Tree,
  what: string,
  lock: string,
  rendered: readonly Change[],
  marked: readonly string[] = [],
): Promise<Drift> {
  const changes = await changed(tree, rendered)
  if (changes.length === 0) return { what, changes, problems: [] }
  const holder = await holderOf(tree, lock, '')
  const problems = await Promise.all(changes.map((change) => immutableProblems(tree, change)))
  const held = holder ? [`${heldSentence(what, holder)}: wait until it has ended`] : []
  return { what, changes, problems: [...held, ...marked, ...problems.flat(), ...(await dataDiskLosses(tree, changes))] }
}
