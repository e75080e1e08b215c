import { type KubeObject, keyOf } from './object.ts'
import type { Store } from './store.ts'

/** Finds objects by something that is written in them, without looking at all of them. */
export interface Index {
  keys(value: string): Iterable<string>
}

/** Keeps an index of the objects of a kind: under each value that `valuesOf` answers, the keys of the objects. */
export function indexBy<T extends KubeObject>(store: Store, kind: string, valuesOf: (object: T) => string[]): Index {
  const found = new Map<string, Set<string>>()
  const values = (object: T) => {
    try {
      return valuesOf(object)
    } catch {
      return [] // an object of another shape than its kind's has nothing to be found by
    }
  }
  const add = (object: T) => {
    for (const value of values(object)) found.set(value, (found.get(value) ?? new Set()).add(keyOf(object)))
  }
  const drop = (object: T) => {
    for (const value of values(object)) {
      found.get(value)?.delete(keyOf(object))
      if (found.get(value)?.size === 0) found.delete(value)
    }
  }
  for (const object of store.list<T>(kind)) add(object)
  store.subscribe((change) => {
    if (change.kind.kind !== kind) return
    if (change.previous) drop(change.previous as T)
    if (change.type !== 'DELETED') add(change.object as T)
  })
  return { keys: (value) => found.get(value) ?? [] }
}
