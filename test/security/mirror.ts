import { once } from 'node:events'
import http, { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'

/** A server in front of another one, which hears everything and says back what it should not. */
export interface Mirror {
  url: string
  /** Every answer that went through, as text. */
  answers: string[]
  /** Every header that a request brought. */
  heard: string[]
  /** Every body. */
  told: string[]
  /** The next requests whose method fits are refused with this status, and told all that they brought, their secrets too. */
  refuse(status: number, times: number, method?: RegExp): void
  /** How often that was done. */
  refused(): number
  close(): void
}

export async function mirror(target: string | undefined, port = 0): Promise<Mirror> {
  const answers: string[] = []
  const heard: string[] = []
  const told: string[] = []
  let refusals: { status: number; method: RegExp }[] = []
  let count = 0

  const handle = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    heard.push(JSON.stringify(incoming.headers))
    const body: Buffer[] = []
    incoming.on('data', (data: Buffer) => body.push(data))
    incoming.on('end', () => told.push(Buffer.concat(body).toString('latin1')))
    const refusal = refusals.find(({ method }) => method.test(`${incoming.method} ${incoming.url}`))
    if (refusal) {
      refusals = refusals.filter((one) => one !== refusal)
      count++
      return sayBack(incoming, outgoing, refusal.status)
    }
    if (target === undefined) return void incoming.on('end', () => outgoing.writeHead(204).end())
    const to = new URL(incoming.url ?? '/', target)
    const { request } = to.protocol === 'https:' ? https : http
    const onward = request(
      to,
      { method: incoming.method, headers: incoming.headers, rejectUnauthorized: false, agent: false },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
        answer.on('data', (data: Buffer) => answers.push(data.toString('latin1')))
        answers.push(JSON.stringify(answer.headers))
        answer.pipe(outgoing)
        answer.on('error', () => outgoing.destroy())
      },
    )
    onward.on('error', () => outgoing.destroy())
    outgoing.on('close', () => onward.destroy())
    incoming.pipe(onward)
  }

  const server = createServer(handle)
  await once(server.listen(port, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answers,
    heard,
    told,
    refuse: (status, times, method = /./) => {
      for (let time = 0; time < times; time++) refusals.push({ status, method })
    },
    refused: () => count,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** What servers and the proxies before them have said in errors: the request with its headers, decoded for good measure. */
function sayBack({ headers, method, url }: IncomingMessage, outgoing: ServerResponse, status: number): void {
  const { authorization = '' } = headers
  const decoded = Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString('utf8')
  const message = `refused ${method} http://user:${decoded}@${headers.host}${url} authorization: ${authorization} ${decoded} ${JSON.stringify(headers)}`
  const isGit = /git-|info\/refs/.test(url ?? '')
  outgoing.writeHead(status, { 'content-type': isGit ? 'text/plain' : 'application/json', 'x-said': authorization })
  outgoing.end(
    isGit ? message : JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code: status }),
  )
}
