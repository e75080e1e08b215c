import { hasHelper } from './helper.ts'
import { type Held, holdHelper } from './hold-helper.ts'
import type { CloneConfig } from './make-clone.ts'

/** Asks, over one connection that is kept, where a branch is. */
export interface TipAsker {
  /** The newest commit; undefined when there is none, or when it cannot be told in this way, for whatever reason. */
  ask(directory: string): Promise<string | undefined>
  end(): Promise<void>
}

/** By protocol 2 (gitprotocol-v2(5)), which has a question for it; other servers are not asked. */
export function openTipAsker(config: CloneConfig): TipAsker {
  const held = holdHelper(config)
  const ref = `refs/heads/${config.branch}`
  let question = ''
  const connect = async ({ helper, isNew }: Held) => {
    if (!isNew) return question !== ''
    question = ''
    const answer = await helper.ask('stateless-connect git-upload-pack\n', isGreeting, config.timeouts.fetch)
    if (answer.code === 0 && answer.stdout !== 'fallback\n') question = toQuestion(ref, answer.stdout)
    return question !== ''
  }
  const ask = async (directory: string) => {
    if (!hasHelper(config.remote.url)) return undefined
    const found = await held.of(directory)
    if (!(await connect(found))) return undefined
    const { code, stdout } = await found.helper.ask(question, isEnd, config.timeouts.fetch)
    if (code !== 0) return undefined
    const tips = stdout.matchAll(/([0-9a-f]{40}|[0-9a-f]{64}) (\S+)\n/g)
    return [...tips].find(([, , name]) => name === ref)?.[1]
  }
  return { ask, end: held.end }
}

const isGreeting = (answer: string) => answer === 'fallback\n' || answer.endsWith('\n0000')
const isEnd = (answer: string) => answer.endsWith('00000002')

function toQuestion(ref: string, greeting: string): string {
  const [, format] = /object-format=(\w+)\n/.exec(greeting) ?? []
  const head = [line('command=ls-refs'), ...(format ? [line(`object-format=${format}`)] : [])]
  return `${head.join('')}0001${line(`ref-prefix ${ref}`)}0000`
}

const line = (text: string) => `${(text.length + 5).toString(16).padStart(4, '0')}${text}\n`
