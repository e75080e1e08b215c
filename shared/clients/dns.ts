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
      // That there is no such record is an answer, and what a deprovision waits for.
      const ask = () =>
        resolver.resolve(name, type).catch((error: unknown) => {
          if (none.has(codeOf(error))) return []
          throw error
        })
      try {
        return (await outside({ to: 'dns', what: type }, ask, counted)) as string[]
      } catch (error) {
        if (silent.has(codeOf(error))) return undefined
        throw error
      }
    },
  }
}

const counted = (found: unknown) => ({ outcome: (found as unknown[]).length > 0 ? 'ok' : 'none' })

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? ''
