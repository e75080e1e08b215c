import { type Access, codeOf } from '../../shared/clients/access.ts'
import { Refusal, send } from '../../shared/clients/raw.ts'
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
      const answer = await access.use(method, (config) => send(config, method, path, body))
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
