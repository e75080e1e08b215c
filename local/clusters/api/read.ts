import { badRequest, notFound } from '../api-error.ts'
import { apiVersionOf } from '../kinds.ts'
import type { KubeObject } from '../object.ts'
import { fieldTest, labelTest, type Test } from '../selector.ts'
import type { Store } from '../store.ts'
import type { Target } from './route.ts'

/** The test that a query's selectors and the path's name and namespace mean together. */
export function testOf({ namespace, name }: Target, query: URLSearchParams): Test {
  const labels = labelTest(query.get('labelSelector') ?? '')
  const fields = fieldTest(query.get('fieldSelector') ?? '')
  const there = ({ metadata }: KubeObject) =>
    (!namespace || metadata.namespace === namespace) && (name === undefined || metadata.name === name)
  return (object) => there(object) && labels(object) && fields(object)
}

/** One object, or 404. */
export function getOne(store: Store, { kind, namespace, name = '' }: Target): KubeObject {
  const object = store.get(kind.kind, namespace ?? '', name)
  if (!object) throw notFound(kind, name)
  return object
}

interface Page {
  items: KubeObject[]
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number }
}

/** A list, or the next page of it where the query has a limit. */
export function listOf(store: Store, target: Target, query: URLSearchParams): Page {
  const test = testOf(target, query)
  const all = store.list(target.kind.kind, target.namespace).filter(test)
  const start = from(query.get('continue'))
  const limit = Number(query.get('limit') ?? 0) || all.length
  const items = all.slice(start, start + limit)
  const left = all.length - start - items.length
  const resourceVersion = String(store.version)
  if (left <= 0) return { items, metadata: { resourceVersion } }
  return {
    items,
    metadata: {
      resourceVersion,
      continue: Buffer.from(String(start + limit)).toString('base64'),
      remainingItemCount: left,
    },
  }
}

function from(token: string | null): number {
  if (!token) return 0
  const start = Number(Buffer.from(token, 'base64').toString())
  if (!Number.isSafeInteger(start) || start < 0) throw badRequest('continue key is not valid')
  return start
}

/** A page as the list object of its kind. */
export function toList({ kind }: Target, { items, metadata }: Page) {
  return { kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata, items }
}
