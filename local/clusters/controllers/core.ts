import { isDict } from '../../../shared/dict.ts'
import type { Cluster } from '../cluster.ts'

/** What the API server itself does to objects of the core group: a Secret's `stringData` becomes `data`. */
export function runCore({ store }: Cluster): void {
  store.admit('Secret', ({ stringData, ...secret }) => {
    if (!isDict(stringData)) return secret
    const encoded = Object.entries(stringData).map(
      ([key, text]) => [key, Buffer.from(String(text)).toString('base64')] as const,
    )
    return { ...secret, data: { ...(isDict(secret['data']) && secret['data']), ...Object.fromEntries(encoded) } }
  })
}
