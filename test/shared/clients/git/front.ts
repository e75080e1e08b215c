import { createServer, request } from 'node:http'
import { onTestFinished } from 'vitest'
import { listenAt } from '../../../../local/listen.ts'
import type { World } from './world.ts'

/** A server in front of a world's, that cannot do all that it can; closed with the test. */
export async function startFront(
  { host }: World,
  { withoutSince = false, failures = 0 }: { withoutSince?: boolean; failures?: number },
): Promise<{ url: string }> {
  let failed = 0
  const server = createServer((incoming, outgoing) => {
    if (incoming.method === 'POST' && failed++ < failures) return void outgoing.writeHead(502).end()
    const { 'git-protocol': protocol, ...headers } = incoming.headers
    const to = new URL(incoming.url ?? '/', host.plainUrl)
    const asked = {
      method: incoming.method,
      headers: withoutSince ? headers : { ...headers, 'git-protocol': protocol },
    }
    const far = request(to, asked, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      if (!withoutSince || incoming.method === 'POST') return void answer.pipe(outgoing)
      // As long as before, for a line says how long it is.
      answer.on('data', (chunk: Buffer) =>
        outgoing.write(chunk.toString('latin1').replaceAll('deepen-since', 'deepen-never'), 'latin1'),
      )
      answer.on('end', () => outgoing.end())
    })
    far.on('error', () => outgoing.destroy())
    incoming.pipe(far)
  })
  const port = await listenAt(server, 0)
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { url: Object.assign(new URL(host.plainUrl), { port: `${port}` }).href }
}
