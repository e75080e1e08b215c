import type { Change, Tree } from '../fleet.ts'
import { renderImage } from '../images/render.ts'
import type { Manifest } from '../kubevirt/manifest.ts'
import { render } from '../kubevirt/render.ts'
import type { MachineAddress } from '../machines.ts'
import {
  applicationFile,
  definitionFile,
  imageApplicationFile,
  imageFile,
  imageManifestsFolder,
  manifestsFolder,
  namespaceApplicationFile,
  namespaceFolder,
} from '../paths.ts'
import type { Definition } from '../schema/definition.ts'
import type { GoldenImage } from '../schema/golden-image.ts'
import { toYaml } from '../yaml.ts'
import { type GitOpsSettings, imageApplication, machineApplication, namespaceApplication } from './application.ts'
import { namespaceManifest } from './namespace.ts'

/**
 * Every file that a definition stands for: itself, its manifests one object a file, its Application, and its
 * namespace where the fleet does not have it yet. A manifest that it no longer renders to is removed.
 */
export async function toChangeSet(definition: Definition, tree: Tree, settings: GitOpsSettings): Promise<Change[]> {
  const { cluster, namespace, name } = definition
  return [
    { path: definitionFile(cluster, namespace, name), content: toYaml(definition) },
    ...(await manifestChanges(definition, tree)),
    toChange(applicationFile(cluster, namespace, name), machineApplication(definition, settings)),
    ...(await namespaceChanges(definition, tree, settings)),
  ]
}

/** The same of a golden image. */
export async function toImageChangeSet(image: GoldenImage, tree: Tree, settings: GitOpsSettings): Promise<Change[]> {
  const { cluster, namespace, name } = image
  return [
    ...(await imageChanges(image, tree)),
    toChange(imageApplicationFile(cluster, namespace, name), imageApplication(image, settings)),
    ...(await namespaceChanges(image, tree, settings)),
  ]
}

/** The files of a golden image's own folder. */
export async function imageChanges(image: GoldenImage, tree: Tree): Promise<Change[]> {
  return [{ path: imageFile(image.name), content: toYaml(image) }, ...(await imageManifestChanges(image, tree))]
}

/** The namespace, where the fleet does not have it yet. */
function namespaceChanges(
  { cluster, namespace }: MachineAddress,
  tree: Tree,
  settings: GitOpsSettings,
): Promise<Change[]> {
  return absent(tree, [
    toChange(`${namespaceFolder(cluster, namespace)}/namespace.yaml`, namespaceManifest(namespace)),
    toChange(namespaceApplicationFile(cluster, namespace), namespaceApplication(cluster, namespace, settings)),
  ])
}

/** The manifests that a definition renders to, and those in its folder that it does not render to any more. */
export async function manifestChanges(definition: Definition, tree: Tree): Promise<Change[]> {
  const { cluster, namespace, name } = definition
  return folderChanges(tree, manifestsFolder(cluster, namespace, name), render(definition))
}

/** The same of a golden image. */
export const imageManifestChanges = (image: GoldenImage, tree: Tree): Promise<Change[]> =>
  folderChanges(tree, imageManifestsFolder(image.name), renderImage(image))

async function folderChanges(tree: Tree, folder: string, rendered: readonly Manifest[]): Promise<Change[]> {
  const manifests = rendered.map((manifest) => toChange(`${folder}/${fileName(manifest)}`, manifest))
  const wanted = new Set(manifests.map(({ path }) => path))
  const stale = (await tree.list(folder))
    .map((entry) => `${folder}/${entry.name}`)
    .filter((path) => !wanted.has(path))
    .map((path) => ({ path, content: null }))
  return [...manifests, ...stale]
}

/** The changes that change something. */
export async function changed(tree: Tree, changes: readonly Change[]): Promise<Change[]> {
  const now = await Promise.all(changes.map(({ path }) => tree.read(path)))
  return changes.filter(({ content }, index) => (now[index] ?? null) !== content)
}

/** What somebody wrote into manifests that follow from a definition: a sentence for each, for an edit of it would be lost. */
export async function editedByHand(tree: Tree, manifests: readonly Change[]): Promise<string[]> {
  const differing = await changed(tree, manifests)
  return differing.map(({ path }) => `${path} is not what the definition renders to: put it right by hand first`)
}

const toChange = (path: string, manifest: Manifest): Change => ({ path, content: toYaml(manifest) })

/** A file's name follows from its object alone, so that the same object is always the same file. */
export const fileName = ({ kind, metadata }: Pick<Manifest, 'kind'> & { metadata: { name: string } }) =>
  `${kind.toLowerCase()}-${metadata.name}.yaml`

async function absent(tree: Tree, changes: Change[]): Promise<Change[]> {
  const there = await Promise.all(changes.map(({ path }) => tree.oid(path)))
  return changes.filter((_, at) => there[at] === undefined)
}
