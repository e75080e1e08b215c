import type { Change, Tree } from '../fleet.ts'
import type { Manifest } from '../kubevirt/manifest.ts'
import { render } from '../kubevirt/render.ts'
import {
  applicationFile,
  definitionFile,
  manifestsFolder,
  namespaceApplicationFile,
  namespaceFolder,
} from '../paths.ts'
import type { Definition } from '../schema/definition.ts'
import { toYaml } from '../yaml.ts'
import { type GitOpsSettings, machineApplication, namespaceApplication } from './application.ts'
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
    ...(await absent(tree, [
      toChange(`${namespaceFolder(cluster, namespace)}/namespace.yaml`, namespaceManifest(namespace)),
      toChange(namespaceApplicationFile(cluster, namespace), namespaceApplication(cluster, namespace, settings)),
    ])),
  ]
}

/** The manifests that a definition renders to, and those in its folder that it does not render to any more. */
export async function manifestChanges(definition: Definition, tree: Tree): Promise<Change[]> {
  const { cluster, namespace, name } = definition
  const folder = manifestsFolder(cluster, namespace, name)
  const manifests = render(definition).map((manifest) => toChange(`${folder}/${fileName(manifest)}`, manifest))
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

const toChange = (path: string, manifest: Manifest): Change => ({ path, content: toYaml(manifest) })

/** A file's name follows from its object alone, so that the same object is always the same file. */
export const fileName = ({ kind, metadata }: Manifest) => `${kind.toLowerCase()}-${metadata.name}.yaml`

async function absent(tree: Tree, changes: Change[]): Promise<Change[]> {
  const there = await Promise.all(changes.map(({ path }) => tree.oid(path)))
  return changes.filter((_, at) => there[at] === undefined)
}
