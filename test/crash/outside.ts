import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Feed } from '../../local/feed.ts'
import { listenAt } from '../../local/listen.ts'
import { newSigningKey } from '../../shared/config.ts'
import { toYaml } from '../../shared/yaml.ts'
import { startNameServer } from '../name-server.ts'

/** What there is beside Git and the clusters: an enterprise system, requesters who want to be called back, a name server. */
export interface Outside {
  /** What the functions have to be told of it. */
  settings: Record<string, string>
  /** The states that a machine of this name was brought into, by the key of its record. */
  registered(name: string): Record<string, string[]>
  /** What was posted for a run, each event's type and id once. */
  told(run: string): string[]
  callback: { url: string }
  /** Keeps names as the platform would, which learns of them from the clusters. */
  follow(feed: Feed): void
  close(): Promise<void>
}

/** Starts it; its files lie in the folder, those that Kubernetes would mount in `mounted`. */
export async function startOutside(folder: string, mounted: string): Promise<Outside> {
  const records = new Map<string, string[]>()
  const told = new Map<string, Set<string>>()
  const server = createServer(async (request, response) => {
    const body = await text(request)
    const [, room = '', key = ''] = (request.url ?? '').split('/')
    if (room === 'told') {
      const { runid, id, type } = JSON.parse(body) as Record<string, string>
      const events = told.get(runid ?? '') ?? new Set()
      told.set(runid ?? '', events.add(`${type} ${id}`))
      return response.end()
    }
    if (request.method === 'GET')
      return response.writeHead(records.has(key) ? 200 : 404).end(JSON.stringify({ id: key }))
    const states = records.get(key) ?? []
    const { state } = JSON.parse(body) as { state: string }
    // The same state again is none of another kind.
    if (states.at(-1) !== state) records.set(key, [...states, state])
    return response.end(JSON.stringify({ id: key }))
  })
  const port = await listenAt(server, 0)
  const url = `http://127.0.0.1:${port}`
  const call = (method: string) => ({ method, path: '/machines/${key}', id: 'id' })
  const record = { body: { name: '${name}', state: '${state}' } }
  const cmdb = {
    url,
    lookup: call('GET'),
    create: { ...call('PUT'), ...record },
    update: { ...call('PATCH'), ...record },
  }
  writeFileSync(join(folder, 'cmdb.yaml'), toYaml(cmdb))
  writeFileSync(join(mounted, 'cmdb-token'), 'token-of-the-cmdb')
  writeFileSync(join(mounted, 'signing-keys'), newSigningKey())
  const zone = new Map<string, string>()
  const names = await startNameServer((type, name) => {
    const target = zone.get(`${type} ${name}`)
    return target === undefined ? 'no such name' : { target }
  })
  return {
    settings: {
      DROVER_CMDB_CONFIG: join(folder, 'cmdb.yaml'),
      DROVER_CMDB_TOKEN_FILE: join(mounted, 'cmdb-token'),
      DROVER_SIGNING_KEYS_FILE: join(mounted, 'signing-keys'),
      DROVER_DNS_RESOLVERS: names.address,
    },
    registered: (name) => Object.fromEntries([...records].filter(([key]) => key.startsWith(name))),
    told: (run) => [...(told.get(run) ?? [])],
    callback: { url: `${url}/told` },
    follow: (feed) =>
      void feed.listen(({ type, data }) => {
        for (const { dnsName, recordType, targets } of data.facts?.dns ?? []) {
          if (/\.allocated$/.test(type)) zone.set(`${recordType} ${dnsName}`, targets[0] ?? '')
          if (/\.released$/.test(type)) zone.delete(`${recordType} ${dnsName}`)
        }
      }),
    async close() {
      names.close()
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}
