import { refreshAnnotation } from '../../../shared/machines.ts'
import type { Cluster } from '../cluster.ts'
import { timestamp } from '../object.ts'
import type { Item } from './argocd-compare.ts'
import { worst } from './argocd-health.ts'
import type { Operation } from './argocd-operation.ts'
import type { Application } from './argocd-types.ts'

interface Seen {
  revision: string
  readAt: number
  operation: Operation | undefined
}

/** Says how an Application is after a comparison. */
export function report(
  { store }: Cluster,
  app: Application,
  seen: Seen,
  items: Item[],
  reason: string | undefined,
): void {
  const { revision, operation, readAt } = seen
  const synced = items.every((item) => item.synced)
  const health = worst(items.map((item) => (item.wanted ? item.health : undefined)))
  const before = app.status?.health
  const lastTransitionTime = before?.status === health ? before.lastTransitionTime : timestamp()
  const comparedTo = { source: app.spec.source, destination: app.spec.destination }
  store.setStatus(app, {
    sync: { status: synced ? 'Synced' : 'OutOfSync', revision, comparedTo },
    health: { status: health, lastTransitionTime },
    resources: items.map(resource),
    reconciledAt: timestamp(new Date(Date.now() - (performance.now() - readAt))),
    sourceType: 'Directory',
    ...(operation && { operationState: operation.state }),
    conditions: conditionsOf(app, reason === undefined ? [] : [{ type: 'SyncError', message: reason }]),
  })
}

/** Says why an Application cannot be compared; what it brought so far stays. */
export function refuse(hub: Cluster, app: Application, type: string, message: string): void {
  const sync = { ...app.status?.sync, status: 'Unknown' }
  const health = { status: app.status?.health?.status ?? 'Unknown' }
  hub.store.setStatus(app, { sync, health, conditions: conditionsOf(app, [{ type, message }]) })
  if (app.metadata.annotations?.[refreshAnnotation]) unask(hub, app)
}

/** Takes away the annotation by which somebody asked for a look at Git. */
export function unask({ store }: Cluster, app: Application): void {
  store.modify(app, (current) => {
    const { [refreshAnnotation]: _, ...annotations } = current.metadata.annotations ?? {}
    return { ...current, metadata: { ...current.metadata, annotations } }
  })
}

function resource({ kind, wanted, live, synced, health }: Item) {
  const { metadata, kind: name } = wanted ?? live ?? { kind: '', metadata: {} }
  const { namespace } = metadata
  const place = { group: kind?.group, version: kind?.version, kind: name, namespace, name: metadata.name }
  return { ...place, status: synced ? 'Synced' : 'OutOfSync', health, ...(!wanted && { requiresPruning: true }) }
}

/** A condition that said the same before keeps its time. */
function conditionsOf(app: Application, next: { type: string; message: string }[]) {
  return next.map((condition) => {
    const same = ({ type, message }: { type: string; message: string }) =>
      type === condition.type && message === condition.message
    return app.status?.conditions?.find(same) ?? { ...condition, lastTransitionTime: timestamp() }
  })
}
