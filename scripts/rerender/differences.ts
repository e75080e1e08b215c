import { isDeepStrictEqual } from 'node:util'
import { valueAt } from '../../shared/dict.ts'
import type { Change, Tree } from '../../shared/fleet.ts'
import { changed, imageManifestChanges, manifestChanges } from '../../shared/gitops/change-set.ts'
import { dataDiskLosses } from '../../shared/kubevirt/data-disks.ts'
import { heldSentence, holderOf, lockOf } from '../../shared/lock.ts'
import { placeOf } from '../../shared/machines.ts'
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
import { readChecked } from '../../shared/schema/read.ts'
import { parseYaml } from '../../shared/yaml.ts'

/** What a machine or an image of a fleet has otherwise than its definition renders to. */
export interface Differences {
  /** Such as "shop/db-01 on site-a". */
  what: string
  /** What makes it alike: all of them are harmless. */
  changes: Change[]
  /** What only a person can do: a sentence each. With one of them nothing else of the machine is to be changed. */
  problems: string[]
}

/** Looks at each machine and each golden image of a fleet, one after the other. */
export async function* differencesIn(tree: Tree): AsyncGenerator<Differences> {
  for (const cluster of await foldersIn(tree, machinesFolder))
    for (const namespace of await foldersIn(tree, `${machinesFolder}/${cluster}`))
      for (const name of await foldersIn(tree, machinesIn(cluster, namespace)))
        yield await ofMachine(tree, { cluster, namespace, name })
  for (const name of await foldersIn(tree, imagesFolder)) yield await ofImage(tree, name)
}

const foldersIn = async (tree: Tree, folder: string) =>
  (await tree.list(folder)).filter(({ mode }) => mode === '040000').map(({ name }) => name)

async function ofMachine(tree: Tree, address: { cluster: string; namespace: string; name: string }) {
  const { cluster, namespace, name } = address
  const what = placeOf(address)
  const path = definitionFile(cluster, namespace, name)
  const read = await readChecked(tree, path, Definition)
  if (!read?.ok) return unreadable(what, path, read?.problems)
  return compared(tree, what, lockOf(address), await manifestChanges(read.value, tree))
}

async function ofImage(tree: Tree, name: string): Promise<Differences> {
  const what = `image ${name}`
  const read = await readChecked(tree, imageFile(name), GoldenImage)
  if (!read?.ok) return unreadable(what, imageFile(name), read?.problems)
  return compared(tree, what, imageLockFile(name), await imageManifestChanges(read.value, tree))
}

const unreadable = (what: string, path: string, problems = [`${path} is not there`]): Differences => ({
  ...{ what, problems },
  changes: [],
})

async function compared(tree: Tree, what: string, lock: string, rendered: readonly Change[]): Promise<Differences> {
  const changes = await changed(tree, rendered)
  if (changes.length === 0) return { what, changes, problems: [] }
  const holder = await holderOf(tree, lock, '')
  const problems = [
    ...(holder ? [`${heldSentence(what, holder)}: wait until it has ended`] : []),
    ...(await dataDiskLosses(tree, changes)),
    ...(await Promise.all(changes.map((change) => harmOf(tree, change)))).flat(),
  ]
  return { what, changes, problems }
}

/** What comes into being with its object, or happens with it, and cannot be changed afterwards. */
const lasting = [
  'DataVolume',
  'PersistentVolumeClaim',
  'VirtualMachineSnapshot',
  'VirtualMachineRestore',
  'VirtualMachineInstanceMigration',
  'Job',
]

/** Why a manifest is not written: it would make a disk anew, take one away, or start what has been done already. */
async function harmOf(tree: Tree, { path, content }: Change): Promise<string[]> {
  const before = await tree.read(path)
  const [was, is] = [objectIn(before, path), objectIn(content, path)]
  // Where somebody has broken a file, its definition says which kind it was.
  const kind = String(valueAt(was, ['kind']) ?? valueAt(is, ['kind']))
  if (kind !== 'VirtualMachine' && !lasting.includes(kind)) return []
  if (!was)
    return [`${path} is not there: bring it back from the history of Git, for to make a ${kind} anew is no repair`]
  if (!is) return [`${path} is there, and no definition renders to it: to take a ${kind} away is for you to decide`]
  if (kind === 'VirtualMachine' || isDeepStrictEqual(valueAt(was, ['spec']), valueAt(is, ['spec']))) return []
  return [`${path} has another spec than its definition: the spec of a ${kind} cannot be changed`]
}

function objectIn(text: string | null | undefined, path: string): unknown {
  if (text === null || text === undefined) return undefined
  try {
    return parseYaml(text, path) ?? {}
  } catch {
    return {}
  }
}
