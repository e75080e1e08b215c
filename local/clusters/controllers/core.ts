import { isDict } from '../../../shared/dict.ts'
import type { Cluster } from '../cluster.ts'
import type { Fields } from '../object.ts'

/** What the API server itself does to objects of the core group: a Secret's `stringData` becomes `data`. */
export function runCore({ store }: Cluster): void {
  store.admit('Secret', ({ stringData, ...secret }) => ({ ...secret, ...dataOf(secret['data'], stringData) }))
}

/** What a Secret's `data` becomes by its `stringData`, which is never stored; nothing where there is none. */
export function dataOf(data: unknown, stringData: unknown): { data?: Fields } {
  if (!isDict(stringData)) return {}
  const encoded = Object.entries(stringData).map(
    ([key, text]) => [key, Buffer.from(String(text)).toString('base64')] as const,
  )
  return { data: { ...(isDict(data) && data), ...Object.fromEntries(encoded) } }
}
