import { createServer } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { readEvent, readHeaders } from '../../local/broker/http-form.ts'
import { Feed } from '../../local/feed.ts'
import { listenAt } from '../../local/listen.ts'
import type { Api } from './api.ts'

/** Every event that the real Broker accepts, by a Trigger of its own that wants them all. */
export interface Tap {
  feed: Feed
  close(): Promise<void>
}

export async function openTap(api: Api, name: string): Promise<Tap> {
  const feed = new Feed()
  const server = createServer(async (request, response) => {
    const event = readEvent(readHeaders(request.headersDistinct), await buffer(request))
    response.writeHead(204).end()
    if (event) feed.note({ namespace: 'drover', broker: 'default', event })
  })
  const uri = `http://127.0.0.1:${await listenAt(server, 0)}/`
  await api.apply({
    apiVersion: 'eventing.knative.dev/v1',
    kind: 'Trigger',
    // Eventing's webhook would add the label. By it a Trigger is looked at again when its Broker has become ready.
    metadata: { name, namespace: 'drover', labels: { 'eventing.knative.dev/broker': 'default' } },
    spec: { broker: 'default', filter: {}, subscriber: { uri } },
  })
  return {
    feed,
    close: async () => {
      await api.remove('Trigger', 'drover', name)
      server.closeAllConnections()
      server.close()
    },
  }
}
