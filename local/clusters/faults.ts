import type { KubeObject } from './object.ts'

/** What can be made to go wrong with one object. */
export const faultNames = [
  'import-fails',
  'clone-fails',
  'grow-fails',
  'unschedulable',
  'crash-loop',
  'no-agent',
  'wrong-address',
  'stuck-stopping',
  'job-fails',
  'job-stuck',
  'snapshot-fails',
  'snapshot-stuck',
  'restore-fails',
  'restore-stuck',
  'restore-hangs',
  'migration-fails',
  'api-500',
  'sync-stuck',
  'sync-error',
  'never-deleted',
  'decision-empty',
  'decision-never',
] as const
export type FaultName = (typeof faultNames)[number]

/** `fault: a,b` as an annotation does the same as a rule does; `api-500=5` answers 500 five times. */
export const faultAnnotation = 'local.drover.dev/fault'
export const faultFinalizer = 'local.drover.dev/never-deleted'

/** Objects that have a fault; what is left out fits all. */
export interface FaultRule {
  fault: FaultName
  cluster?: string
  kind?: string
  namespace?: string
  name?: string
  /** For `api-500`: how many requests fail; all when left out. */
  times?: number
}

interface Place {
  kind: string
  namespace: string
  name: string
}

/** The faults of all clusters. They may be added and removed while the clusters run. */
export class Faults {
  readonly #rules = new Set<FaultRule & { left: number }>()
  readonly #spent = new Map<string, number>()
  readonly #listeners = new Set<() => void>()

  /** Adds a fault and answers how to remove it. */
  add(rule: FaultRule): () => void {
    const kept = { ...rule, left: rule.times ?? Number.POSITIVE_INFINITY }
    this.#rules.add(kept)
    this.#changed()
    return () => {
      this.#rules.delete(kept)
      this.#changed()
    }
  }

  clear(): void {
    this.#rules.clear()
    this.#changed()
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Whether an object has a fault. */
  has(fault: FaultName, cluster: string, object: KubeObject): boolean {
    const { kind, metadata } = object
    const place = { kind, namespace: metadata.namespace ?? '', name: metadata.name }
    return annotated(object, fault) !== undefined || this.#rule(fault, cluster, place) !== undefined
  }

  /** Whether the API has to answer 500 to this request; counts it. */
  failsRequest(cluster: string, place: Place, object: KubeObject | undefined): boolean {
    const rule = this.#rule('api-500', cluster, place)
    if (rule) {
      rule.left -= 1
      return true
    }
    const times = object && annotated(object, 'api-500')
    if (!object || times === undefined) return false
    const spent = this.#spent.get(object.metadata.uid) ?? 0
    this.#spent.set(object.metadata.uid, spent + 1)
    return spent < times
  }

  #rule(fault: FaultName, cluster: string, place: Place) {
    for (const rule of this.#rules)
      if (rule.fault === fault && rule.left > 0 && fits(rule, { ...place, cluster })) return rule
    return undefined
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }
}

function fits(rule: FaultRule, place: Place & { cluster: string }): boolean {
  const same = (field: 'cluster' | 'kind' | 'namespace' | 'name') =>
    rule[field] === undefined || rule[field] === place[field]
  return same('cluster') && same('kind') && same('namespace') && same('name')
}

/** How often an annotated fault strikes, or undefined when the object is not annotated with it. */
function annotated({ metadata }: KubeObject, fault: FaultName): number | undefined {
  for (const part of metadata.annotations?.[faultAnnotation]?.split(',') ?? []) {
    const [name, times] = part.trim().split('=')
    if (name === fault) return times === undefined ? Number.POSITIVE_INFINITY : Number(times)
  }
  return undefined
}
