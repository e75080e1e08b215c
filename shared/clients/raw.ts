import http from 'node:http'
import https from 'node:https'
import { text } from 'node:stream/consumers'
import type { KubeConfig } from '@kubernetes/client-node'

/** An answer that is none of success, with its status as the library's errors have it. */
export class Refusal extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

const patience = 15_000

/** What a cluster answers to a path that the library has no method for. */
export async function send(config: KubeConfig, method: string, path: string, body?: object): Promise<string> {
  const options: https.RequestOptions = {}
  await config.applyToHTTPSOptions(options)
  const url = `${config.getCurrentCluster()?.server}${path}`
  const headers = { ...options.headers, accept: 'application/json', 'content-type': 'application/json' }
  const { request } = url.startsWith('https:') ? https : http
  return new Promise((done, fail) => {
    const asked = request(url, { ...options, method, headers, timeout: patience }, (answer) => {
      text(answer).then((said) => {
        const status = answer.statusCode ?? 0
        if (status >= 200 && status < 300) done(said)
        else fail(new Refusal(status, sentenceIn(said)))
      }, fail)
    })
    asked.on('timeout', () => asked.destroy(new Error('timeout')))
    asked.on('error', fail)
    asked.end(body && JSON.stringify(body))
  })
}

/** The message of a Status; other answers are not repeated. */
function sentenceIn(said: string): string {
  try {
    return (JSON.parse(said) as { message?: string }).message ?? ''
  } catch {
    return ''
  }
}
