import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toYaml } from '../../shared/yaml.ts'

/** An enterprise system with a JSON API: it keeps what it is told, and refuses a state when it is told to. */
export interface Enterprise {
  url: string
  /** The state of each machine, by its name. */
  records: Map<string, string>
  /** What it was told of each machine last. */
  told: Map<string, Record<string, string>>
  refuses: string | undefined
  /** How functions find it. */
  settings: Record<string, string>
  close(): void
}

/** Starts one on the loopback interface. */
export async function startEnterprise(): Promise<Enterprise> {
  const [records, told] = [new Map<string, string>(), new Map<string, Record<string, string>>()]
  const server = createServer((request, response) => {
    const name = request.url?.split('/').at(-1) ?? ''
    let text = ''
    request.on('data', (chunk) => (text += chunk))
    request.on('end', () => {
      const body = text === '' ? undefined : (JSON.parse(text) as Record<string, string> & { state: string })
      if (body && body.state === enterprise.refuses) return response.writeHead(422).end()
      if (body) {
        records.set(name, body.state)
        told.set(name, body)
      }
      return records.has(name) ? response.end(JSON.stringify({ id: `ci-${name}` })) : response.writeHead(404).end()
    })
  }).listen(0, '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const enterprise: Enterprise = {
    ...{ url, records, told },
    refuses: undefined,
    settings: { DROVER_CMDB_CONFIG: configFor(url), DROVER_CMDB_TOKEN: 'cmdb-token' },
    close: () => server.close(),
  }
  return enterprise
}

function configFor(url: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'drover-cmdb-')), 'cmdb.yaml')
  const body = { name: '${name}', state: '${state}', run: '${run}', addresses: '${addresses}', fqdn: '${fqdn}' }
  const write = { body, id: 'id' }
  const path = '/vms/${name}'
  writeFileSync(
    file,
    toYaml({
      url,
      lookup: { method: 'GET', path, id: 'id' },
      create: { method: 'PUT', path, ...write },
      update: { method: 'PUT', path, ...write },
    }),
  )
  return file
}
