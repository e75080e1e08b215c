import { isDeepStrictEqual } from 'node:util'
import { lastApplied, remembering, serverSideApply, threeWay } from '../apply.ts'
import type { Cluster } from '../cluster.ts'
import { apiVersionOf, type Kind } from '../kinds.ts'
import type { KubeObject, NewObject } from '../object.ts'
import { pointersOf, removeIfThere } from '../patch.ts'
import { type Health, healthOf } from './argocd-health.ts'
import type { Application } from './argocd-types.ts'
import { dataOf } from './core.ts'

export const trackingId = 'argocd.argoproj.io/tracking-id'

/** One object that an Application has, in Git (`wanted`), in the cluster (`live`), or in both. */
export interface Item {
  kind: Kind | undefined
  wanted: NewObject | undefined
  live: KubeObject | undefined
  synced: boolean
  health: Health | undefined
  options: Set<string>
}

/**
 * Puts what Git has beside what the cluster has of an Application. `tracked` are the live objects that it has made; those that
 * became another object's meanwhile go with that one.
 */
export function compare(app: Application, cluster: Cluster, wanted: NewObject[], tracked: KubeObject[]): Item[] {
  const items = wanted.map((manifest) => wantedItem(app, cluster, manifest))
  const known = new Set(items.flatMap(({ live }) => live?.metadata.uid ?? []))
  const extra = tracked.filter((live) => !known.has(live.metadata.uid) && !isOwned(live))
  return [...items, ...extra.map((live) => extraItem(cluster, live))]
}

export const isOwned = ({ metadata }: KubeObject): boolean => (metadata.ownerReferences ?? []).length > 0

function wantedItem(app: Application, { store }: Cluster, manifest: NewObject): Item {
  const kind = store.kinds.find((row) => row.kind === manifest.kind && apiVersionOf(row) === manifest.apiVersion)
  const wanted = placed(app, kind, manifest)
  const live = kind && store.get(kind.kind, wanted.metadata.namespace ?? '', wanted.metadata.name ?? '')
  const health = live ? healthOf(live) : ({ status: 'Missing' } as const)
  return {
    kind,
    wanted,
    live,
    synced: live !== undefined && isSame(app, live, manifest, wanted),
    health,
    options: optionsOf(wanted),
  }
}

function extraItem({ store }: Cluster, live: KubeObject): Item {
  const ignored =
    live.metadata.annotations?.['argocd.argoproj.io/compare-options']?.includes('IgnoreExtraneous') ?? false
  const kind = store.kinds.find((row) => row.kind === live.kind)
  return { kind, wanted: undefined, live, synced: ignored, health: healthOf(live), options: optionsOf(live) }
}

/** The sync options of an object, such as `Prune=false`. */
export function optionsOf({ metadata }: NewObject): Set<string> {
  const text = metadata.annotations?.['argocd.argoproj.io/sync-options'] ?? ''
  return new Set(text.split(',').map((option) => option.trim()))
}

/** The manifest as it goes to the cluster: in its namespace, and marked as the Application's. */
function placed(app: Application, kind: Kind | undefined, manifest: NewObject): NewObject {
  const { namespace: _, ...rest } = manifest.metadata
  const namespace = manifest.metadata.namespace ?? app.spec.destination.namespace ?? 'default'
  const where = kind?.namespaced === false ? {} : { namespace }
  const id = `${app.metadata.name}:${kind?.group ?? ''}/${manifest.kind}:${namespace}/${manifest.metadata.name}`
  const annotations = { ...manifest.metadata.annotations, [trackingId]: id }
  return { ...manifest, metadata: { ...rest, ...where, annotations } }
}

interface Compared {
  manifest: NewObject
  spec: Application['spec']
  wanted: string
  same: boolean
}

const results = new WeakMap<KubeObject, Compared>()

/** Whether applying the manifest would leave the live object as it is. Remembered: live objects are never changed in place. */
function isSame(app: Application, live: KubeObject, manifest: NewObject, wanted: NewObject): boolean {
  const before = results.get(live)
  // Nor are manifests and specs: the very same ones need not be written out to be told from others.
  if (before?.manifest === manifest && before.spec === app.spec) return before.same
  const text = JSON.stringify([wanted, app.spec.ignoreDifferences])
  if (before?.wanted === text) {
    results.set(live, { ...before, manifest, spec: app.spec })
    return before.same
  }
  const strip = ignoring(app, wanted)
  const same = isDeepStrictEqual(strip(merged(app, live, wanted)), strip(live))
  results.set(live, { manifest, spec: app.spec, wanted: text, same })
  return same
}

/** What a manifest makes of an object, or of nothing, when it is applied in the way that the Application asks for. */
export function merged(app: Application, live: KubeObject | undefined, manifest: NewObject): NewObject {
  const wanted = manifest.kind === 'Secret' ? withoutStrings(manifest) : manifest
  if (app.spec.syncPolicy?.syncOptions?.includes('ServerSideApply=true'))
    return serverSideApply(live, wanted, 'argocd-controller')
  return live ? threeWay(live, remembering(wanted)) : remembering(wanted)
}

function withoutStrings({ stringData, ...secret }: NewObject): NewObject {
  return { ...secret, ...dataOf(secret['data'], stringData) }
}

/** Takes away what is not compared: status, what is remembered of who applied what, and what `ignoreDifferences` names. */
function ignoring(app: Application, { kind, metadata }: NewObject): (object: NewObject) => unknown {
  const rules =
    app.spec.ignoreDifferences?.filter((rule) => rule.kind === kind && (!rule.name || rule.name === metadata.name)) ??
    []
  const pointers = rules.flatMap(({ jsonPointers = [] }) => jsonPointers)
  const expressions = rules.flatMap(({ jqPathExpressions = [] }) => jqPathExpressions)
  return (object) => {
    const annotations = { ...object.metadata.annotations, [lastApplied]: '' }
    const metadata = { ...object.metadata, annotations, managedFields: undefined }
    const plain: unknown = { ...object, status: undefined, metadata }
    const copy: unknown = JSON.parse(JSON.stringify(plain))
    // What is not there cannot differ.
    for (const path of pointers) removeIfThere(copy, path)
    for (const path of expressions.flatMap((expression) => pointersOf(copy, expression))) removeIfThere(copy, path)
    return copy
  }
}
