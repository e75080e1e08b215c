import { createServer, request } from 'node:http'
import { onTestFinished } from 'vitest'
import { listenAt } from '../../../../local/listen.ts'

export interface Front {
  url: string
  /** Answers everything with this status until it is set back to undefined. */
  outage: number | undefined
}

/** A server in front of a Git host, that cannot do all that it can; closed with the test. */
export async function startFront(
  plainUrl: string,
  { withoutSince = false }: { withoutSince?: boolean } = {},
): Promise<Front> {
  const front: Front = { url: '', outage: undefined }
  const server = createServer((incoming, outgoing) => {
    if (front.outage !== undefined) return void outgoing.writeHead(front.outage).end()
    const to = new URL(incoming.url ?? '/', plainUrl)
    const { 'git-protocol': _, ...older } = incoming.headers
    const asked = { method: incoming.method, headers: withoutSince ? older : incoming.headers }
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
  front.url = Object.assign(new URL(plainUrl), { port: `${port}` }).href
  return front
}
