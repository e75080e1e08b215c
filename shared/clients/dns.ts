import { promises } from 'node:dns'
import { outside } from '../telemetry/outside.ts'

/** Asks the given name servers (`address` or `address:port`); undefined where none is configured. */
export function openResolver(servers: readonly string[]) {
  if (servers.length === 0) return undefined
  const resolver = new promises.Resolver({ timeout: 2_000, tries: 2 })
  resolver.setServers(servers)
  const none = new Set(['ENOTFOUND', 'ENODATA', 'ESERVFAIL', 'ETIMEOUT', 'EREFUSED', 'ECONNREFUSED'])
  return {
    async resolve(name: string, type: 'A' | 'AAAA' | 'PTR'): Promise<string[]> {
      try {
        return (await outside({ to: 'dns', what: type }, () => resolver.resolve(name, type))) as string[]
      } catch (error) {
        if (none.has((error as NodeJS.ErrnoException).code ?? '')) return []
        throw error
      }
    },
  }
}
