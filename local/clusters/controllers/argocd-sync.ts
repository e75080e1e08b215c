import type { Cluster } from '../cluster.ts'
import type { KubeObject, NewObject } from '../object.ts'
import { type Item, merged } from './argocd-compare.ts'
import type { Application } from './argocd-types.ts'

// What others need stands first, as in Argo CD; kinds that are not named come last, by their names.
const order = [
  'Namespace',
  'ServiceAccount',
  'Secret',
  'ConfigMap',
  'StorageClass',
  'PersistentVolumeClaim',
  'ClusterRole',
  'ClusterRoleBinding',
  'Role',
  'RoleBinding',
  'Pod',
  'Job',
]

interface Result {
  group: string
  version: string
  kind: string
  namespace: string
  name: string
  status: 'Synced' | 'SyncFailed' | 'Pruned'
  message: string
}

/** Brings what Git says to the cluster, and removes what left Git where that is wanted. */
export function synchronize(app: Application, cluster: Cluster, items: Item[]): Result[] {
  const { namespace } = app.spec.destination
  const creates = app.spec.syncPolicy?.syncOptions?.includes('CreateNamespace=true')
  if (creates && namespace && !cluster.store.get('Namespace', '', namespace))
    cluster.store.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  const wanted = items.filter((item) => item.wanted).sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
  const applied = wanted.map((item) => resultOf(item, () => apply(app, cluster, item)))
  const pruned = items.filter((item) => isPrunable(app, item)).map((item) => resultOf(item, () => prune(cluster, item)))
  return [...applied, ...pruned]
}

/** Whether an object that is not in Git has to go. */
export function isPrunable(app: Application, { wanted, live, options }: Item): boolean {
  const automated = app.spec.syncPolicy?.automated?.prune ?? false
  return automated && !wanted && live !== undefined && !live.metadata.deletionTimestamp && !options.has('Prune=false')
}

function rank({ wanted }: Item): string {
  const { kind = '', metadata } = wanted ?? {}
  const place = order.indexOf(kind)
  return `${String(place < 0 ? order.length : place).padStart(2, '0')}/${kind}/${metadata?.namespace ?? ''}/${metadata?.name}`
}

function apply(app: Application, { store }: Cluster, { kind, wanted, live, synced, options }: Item): string {
  if (!wanted) return ''
  const { apiVersion, kind: name, metadata } = wanted
  if (!kind)
    throw new Error(
      `The Kubernetes API could not find ${apiVersion.includes('/') ? apiVersion.split('/')[0] : ''}/${name} for requested resource ${metadata.namespace}/${metadata.name}. Make sure the "${name}" CRD is installed on the destination cluster.`,
    )
  if (live && synced && (isPartial(app) || !isReplaced(options))) return 'unchanged'
  // Read again: an object of this very sync may have changed it.
  const current = store.get(kind.kind, metadata.namespace ?? '', metadata.name ?? '')
  const next = merged(app, current, wanted)
  if (current && isReplaced(options)) return replace(store, current, wanted)
  if (!current) store.create(next)
  else store.update(ofCurrent(next))
  return current ? 'configured' : 'created'
}

const isPartial = ({ spec }: Application) => spec.syncPolicy?.syncOptions?.includes('ApplyOutOfSyncOnly=true') === true
const isReplaced = (options: Set<string>) => options.has('Replace=true') && options.has('Force=true')

/** What something still holds is made anew by a later try, once it is gone. */
function replace(store: Cluster['store'], current: KubeObject, wanted: NewObject): string {
  const { namespace = '', name } = current.metadata
  store.remove(current.kind, namespace, name)
  if (store.get(current.kind, namespace, name))
    throw new Error(`timed out waiting for the deletion of ${current.kind} ${name}`)
  store.create(wanted)
  return 'replaced'
}

function ofCurrent(object: NewObject): NewObject {
  const { resourceVersion: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

function prune({ store }: Cluster, { live }: Item): string {
  if (live) store.remove(live.kind, live.metadata.namespace ?? '', live.metadata.name)
  return 'pruned'
}

function resultOf({ kind, wanted, live }: Item, act: () => string): Result {
  const { metadata, kind: name } = wanted ?? live ?? { kind: '', metadata: {} }
  const about = {
    group: kind?.group ?? '',
    version: kind?.version ?? '',
    kind: name,
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
  }
  try {
    const message = act()
    return {
      ...about,
      status: wanted ? 'Synced' : 'Pruned',
      message: `${name.toLowerCase()}/${metadata.name} ${message}`,
    }
  } catch (error) {
    return { ...about, status: 'SyncFailed', message: error instanceof Error ? error.message : String(error) }
  }
}
