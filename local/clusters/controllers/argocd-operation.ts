import type { Cluster } from '../cluster.ts'
import { type NewObject, timestamp } from '../object.ts'
import type { Item } from './argocd-compare.ts'
import { isPrunable, synchronize } from './argocd-sync.ts'
import type { Application, OperationState } from './argocd-types.ts'

/** A sync under way, or the last one. It holds on to the revision it began with while newer ones arrive. */
export interface Operation {
  revision: string
  manifests: NewObject[]
  state: OperationState
  /** When the next try is due, by `performance.now()`. */
  due: number
  /** How often the same revision was brought back by self-healing. */
  heals: number
}

interface Now {
  revision: string
  manifests: NewObject[]
  items: Item[]
}

/** Whether a sync has to begin now, how long to wait before it may, or why there is none. */
export function decide(
  app: Application,
  now: Now,
  last: Operation | undefined,
): { begin: true } | { wait: number } | { reason?: string } {
  const { automated } = app.spec.syncPolicy ?? {}
  if (!automated || automated.enabled === false || last?.state.phase === 'Running') return {}
  const apply = now.items.some(({ wanted, synced }) => wanted && !synced)
  const prune = now.items.filter((item) => isPrunable(app, item) && !item.synced)
  if (!apply && prune.length === 0) return {}
  if (now.manifests.length === 0 && !automated.allowEmpty)
    return { reason: `Skipping sync attempt to [${now.revision}]: auto-sync will wipe out all resources` }
  if (last?.revision !== now.revision) return { begin: true }
  if (last.state.phase !== 'Succeeded')
    return { reason: `Failed last sync attempt to [${now.revision}]: ${last.state.message}` }
  if (!automated.selfHeal) return {}
  const left = last.due - performance.now()
  return left > 0 ? { wait: left } : { begin: true }
}

/** Begins a sync. */
export function begin(cluster: Cluster, now: Now, last: Operation | undefined): Operation {
  const operation = { initiatedBy: { automated: true }, sync: { revision: now.revision, prune: true } }
  const state: OperationState = {
    phase: 'Running',
    message: 'waiting for completion',
    startedAt: timestamp(),
    syncResult: { revision: now.revision },
    operation,
  }
  const heals = last?.revision === now.revision ? last.heals + 1 : 0
  return {
    revision: now.revision,
    manifests: now.manifests,
    state,
    heals,
    due: performance.now() + cluster.pace.of('sync'),
  }
}

/** Makes one try of a sync: it ends with it, or is due again after a pause. */
export function attempt(
  hub: Cluster,
  app: Application,
  cluster: Cluster,
  operation: Operation,
  items: Item[],
): Operation {
  const results = synchronize(app, cluster, items)
  const failed = results.filter(({ status }) => status === 'SyncFailed').map(({ message }) => message)
  if (hub.hasFault('sync-error', app)) failed.push('the sync was made to fail')
  const { state } = operation
  const syncResult = { ...state.syncResult, resources: results }
  const finished = { ...state, syncResult, finishedAt: timestamp() }
  if (failed.length === 0) {
    const pause = Math.max(hub.pace.of('heal'), operation.heals > 1 ? Math.min(5000, 50 * 2 ** operation.heals) : 0)
    return {
      ...operation,
      due: performance.now() + pause,
      state: { ...finished, phase: 'Succeeded', message: 'successfully synced (all tasks run)' },
    }
  }
  const why = `one or more objects failed to apply, reason: ${failed.join(',')}`
  const { limit = 5, backoff = {} } = app.spec.syncPolicy?.retry ?? {}
  const count = state.retryCount ?? 0
  if (limit >= 0 && count >= limit)
    return {
      ...operation,
      state: { ...finished, phase: 'Failed', message: count > 0 ? `${why} (retried ${count} times).` : why },
    }
  const pause = Math.min(
    milliseconds(backoff.maxDuration ?? '3m'),
    milliseconds(backoff.duration ?? '5s') * (backoff.factor ?? 2) ** count,
  )
  const message = `${why}. Retrying attempt #${count + 1}.`
  return {
    ...operation,
    due: performance.now() + hub.pace.scaled(pause),
    state: { ...state, syncResult, retryCount: count + 1, message },
  }
}

/** A duration as Go writes it (`5s`, `3m`, `1h30m`); a number alone is seconds. */
function milliseconds(text: string): number {
  if (/^\d+$/.test(text)) return Number(text) * 1000
  const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
  return [...text.matchAll(/([\d.]+)(ms|s|m|h)/g)].reduce(
    (sum, [, value, unit = 's']) => sum + Number(value) * (units[unit] ?? 0),
    0,
  )
}
