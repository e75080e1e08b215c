import type { Cluster } from '../cluster.ts'
import { isFields } from '../object.ts'

/** What the API server itself does to objects of the core group: a Secret's `stringData` becomes `data`. */
export function runCore({ store }: Cluster): void {
  store.admit('Secret', ({ stringData, ...secret }) => {
    if (!isFields(stringData)) return secret
    const encoded = Object.entries(stringData).map(
      ([key, text]) => [key, Buffer.from(String(text)).toString('base64')] as const,
    )
    return { ...secret, data: { ...(isFields(secret['data']) && secret['data']), ...Object.fromEntries(encoded) } }
  })
}
