import { type Access, answerOf } from './access.ts'
import { send } from './raw.ts'

/** The index of a cluster's OpenAPI documents: where that of each group version is, by a hash of what it says. */
interface Index {
  paths?: Record<string, { serverRelativeURL?: unknown }>
}

/**
 * Reads what clusters say of their kinds, which every account may ask for. The index tells whether a document has changed:
 * one that is known is not fetched again. Undefined for what a cluster does not serve.
 */
export function openDocuments<T>(groupVersion: string, read: (document: unknown) => T | undefined) {
  const known = new Map<string, { url: string; value: T | undefined }>()
  return async (cluster: string, access: Access): Promise<T | undefined> => {
    const index = (await ask(access, '/openapi/v3')) as Index | undefined
    const url = index?.paths?.[`apis/${groupVersion}`]?.serverRelativeURL
    // It is put behind the server's address, and asked with our token.
    if (typeof url !== 'string' || !url.startsWith('/openapi/v3/')) return undefined
    const before = known.get(cluster)
    if (before?.url === url) return before.value
    const value = read(await ask(access, url))
    known.set(cluster, { url, value })
    return value
  }
}

const ask = (access: Access, path: string): Promise<unknown> =>
  answerOf(access, 'get openapi', async (config) => JSON.parse(await send(config, 'GET', path)))
