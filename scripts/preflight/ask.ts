import http from 'node:http'
import https from 'node:https'
import { text } from 'node:stream/consumers'
import type { KubeConfig } from '@kubernetes/client-node'
import { type Access, codeOf } from '../../shared/clients/access.ts'
import { type Answer, found, hidden, missing } from './answer.ts'

/** Asks one cluster; nothing that it does changes anything there. */
export interface Asker {
  get<T>(path: string): Promise<Answer<T>>
  /** For reviews, which are questions although they are posted. */
  review<T>(path: string, body: object): Promise<Answer<T>>
}

export function askerOf(access: Access): Asker {
  const ask = async <T>(method: string, path: string, body?: object): Promise<Answer<T>> => {
    try {
      const answer = await access.use((config) => send(config, method, path, body))
      return found(JSON.parse(answer) as T)
    } catch (error) {
      const code = codeOf(error)
      if (code === 404) return missing
      if (error instanceof SyntaxError) return hidden('it answers no JSON')
      const said = code === 403 && error instanceof Refusal ? error.message : ''
      return hidden(said || access.failure(error).message)
    }
  }
  return { get: (path) => ask('GET', path), review: (path, body) => ask('POST', path, body) }
}

/** An answer that is none of success, with its status as the library's errors have it. */
class Refusal extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

const patience = 15_000

async function send(config: KubeConfig, method: string, path: string, body?: object): Promise<string> {
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
