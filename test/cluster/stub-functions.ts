import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { functionNames } from '../../shared/lifecycles.ts'
import type { Api } from './api.ts'

/** What the Broker brought to which function. */
export interface Delivery {
  to: string
  type: string
}

/** Stands in for all functions: takes every event, and answers a request as `validate` would. */
export async function stubFunctions(api: Api): Promise<{ deliveries: Delivery[]; close(): void }> {
  const deliveries: Delivery[] = []
  const server = createServer((request, response) => take(request, response, deliveries)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  for (const name of functionNames)
    await api.merge('Service', 'drover', name, { metadata: { annotations: { 'control-plane/url': url } } })
  return { deliveries, close: () => void server.close() }
}

function take({ headers }: IncomingMessage, response: ServerResponse, deliveries: Delivery[]): void {
  const to = headers.host?.split('.')[0] ?? ''
  const type = String(headers['ce-type'])
  deliveries.push({ to, type })
  if (!type.endsWith('.requested') || to !== 'validate') return void response.writeHead(204).end()
  const event = {
    'ce-specversion': '1.0',
    'ce-id': `${headers['ce-id']}-validated`,
    'ce-source': '/drover/validate',
    'ce-type': type.replace(/requested$/, 'validated'),
    'content-type': 'application/json',
  }
  response.writeHead(200, event).end('{}')
}
