import { promises } from 'node:dns'
import { outside } from '../telemetry/outside.ts'

const none = new Set(['ENOTFOUND', 'ENODATA'])
const silent = new Set(['ESERVFAIL', 'ETIMEOUT', 'EREFUSED', 'ECONNREFUSED'])

/** Asks the given name servers (`address` or `address:port`); undefined where none is configured. */
export function openResolver(servers: readonly string[]) {
  if (servers.length === 0) return undefined
  const resolver = new promises.Resolver({ timeout: 2_000, tries: 2 })
  resolver.setServers(servers)
  return {
    /** The targets of a record, nothing when there is no such record; undefined when no server could say. */
    async resolve(name: string, type: 'A' | 'AAAA' | 'PTR'): Promise<string[] | undefined> {
      try {
        return (await outside({ to: 'dns', what: type }, () => resolver.resolve(name, type))) as string[]
      } catch (error) {
        const { code = '' } = error as NodeJS.ErrnoException
        if (none.has(code)) return []
        if (silent.has(code)) return undefined
        throw error
      }
    },
  }
}
