import { partialDeepStrictEqual } from 'node:assert/strict'
import type { KubeObject } from '../../local/clusters/object.ts'
import { imageLabel } from '../../shared/images/names.ts'
import type { Manifest } from '../../shared/kubevirt/manifest.ts'
import { machineLabel } from '../../shared/kubevirt/manifest.ts'
import { parseYaml } from '../../shared/yaml.ts'

/** Whether clusters are what Git says: every object of Git is there as it is wanted, and no other of Drover's. */

type Objects = ReadonlyMap<string, readonly KubeObject[]>
type Files = ReadonlyMap<string, string>

interface Application extends KubeObject {
  spec?: { source?: { path?: string } }
  status?: { sync?: { status?: string } }
}

const keyOf = ({ kind, metadata }: Manifest | KubeObject) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`

/** What differs between Git and the clusters, by their names; `hub` is one of them. */
export function unfollowed(files: Files, clusters: Objects): string[] {
  return [...clusters].flatMap(([cluster, objects]) => {
    const wanted = manifestsOf(cluster, files)
    const there = new Map(objects.map((object) => [keyOf(object), object]))
    const known = new Set(wanted.map(keyOf))
    const lacking = wanted.flatMap((manifest) => differenceOf(manifest, there.get(keyOf(manifest)), cluster))
    const surplus = objects.filter((object) => isOurs(object) && !known.has(keyOf(object)) && !isLasting(object))
    return [
      ...lacking,
      ...surplus.map((object) => `${cluster} has ${keyOf(object)}, which is not in Git`),
      ...objects.filter((object) => !isContested(object, clusters)).flatMap((object) => stateProblems(object, cluster)),
    ]
  })
}

/**
 * Where one API server is every managed cluster, two Applications want a namespace that machines of both use, and neither is
 * ever in sync.
 */
function isContested(application: KubeObject, clusters: Objects): boolean {
  const { status } = application as Application
  if (!clusters.has('*') || status?.sync?.status !== 'OutOfSync') return false
  const namespaceOf = (one: KubeObject) =>
    /^namespaces\/[^/]+\/([^/]+)$/.exec((one as Application).spec?.source?.path ?? '')?.[1]
  const namespace = namespaceOf(application)
  const wanting = (clusters.get('hub') ?? []).filter(
    (one) => one.kind === 'Application' && namespaceOf(one) === namespace,
  )
  return namespace !== undefined && wanting.length > 1
}

/** The files that are applied to a cluster. An image says itself where it is. */
function manifestsOf(cluster: string, files: Files): Manifest[] {
  return [...files].flatMap(([path, text]) => {
    const isItsOwn =
      cluster === 'hub'
        ? /^hub\/.*\.yaml$/.test(path)
        : isOn(cluster, /^(?:vms\/([^/]+)\/.*\/manifests|namespaces\/([^/]+))\//.exec(path))
    const [, image] = /^images\/([^/]+)\/manifests\//.exec(path) ?? []
    const isOfImage =
      cluster !== 'hub' && image !== undefined && (cluster === '*' || cluster === clusterOf(image, files))
    return isItsOwn || isOfImage ? [parseYaml(text, path) as Manifest] : []
  })
}

/** `*` is one API server that is every managed cluster. */
const isOn = (cluster: string, found: RegExpExecArray | null) =>
  found !== null && (cluster === '*' || cluster === (found[1] ?? found[2]))

const clusterOf = (image: string, files: Files) =>
  (parseYaml(files.get(`images/${image}/image.yaml`) ?? '{}') as { cluster?: string }).cluster

function differenceOf(manifest: Manifest, live: KubeObject | undefined, cluster: string): string[] {
  if (!live) return [`${cluster} has no ${keyOf(manifest)}, which is in Git`]
  if (live.metadata.deletionTimestamp) return [`${keyOf(manifest)} of ${cluster} is being deleted, and is in Git`]
  try {
    partialDeepStrictEqual(live, withoutEmpty(manifest))
    return []
  } catch {
    return [`${keyOf(manifest)} of ${cluster} is not what Git says`]
  }
}

/** An empty text in a manifest takes away what KubeVirt has put there: it may be there as well as not. */
function withoutEmpty<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutEmpty) as T
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, one]) => one !== '')
  return Object.fromEntries(entries.map(([key, one]) => [key, withoutEmpty(one)])) as T
}

/** An object that Drover has put there, not what controllers have made of one. */
function isOurs({ kind, metadata: { labels = {}, ownerReferences = [] } }: KubeObject): boolean {
  const isLabelled = labels[machineLabel] !== undefined || labels[imageLabel] !== undefined
  return isLabelled && ownerReferences.length === 0 && !controllersMake.includes(kind)
}

const controllersMake = ['Pod', 'PersistentVolumeClaim', 'VirtualMachineInstance', 'Event', 'VolumeSnapshot']

/** What no sync removes: data disks, and the last snapshot of a machine. */
const isLasting = ({ metadata }: KubeObject) =>
  metadata.annotations?.['argocd.argoproj.io/sync-options']?.includes('Prune=false') === true

/** A machine that is to run does, one that is not does not, and Argo CD has nothing left to do. */
function stateProblems(object: KubeObject, cluster: string): string[] {
  const status = (object['status'] ?? {}) as { printableStatus?: string; sync?: { status?: string } }
  if (object.kind === 'Application' && status.sync?.status !== 'Synced')
    return [`${keyOf(object)} of ${cluster} is ${status.sync?.status ?? 'not looked at'}`]
  if (object.kind !== 'VirtualMachine') return []
  const { runStrategy } = object['spec'] as { runStrategy?: string }
  const wanted = runStrategy === 'Always' ? 'Running' : 'Stopped'
  return status.printableStatus === wanted
    ? []
    : [`${keyOf(object)} of ${cluster} is ${status.printableStatus}, wanted ${wanted}`]
}
