import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hasHelper } from './helper.ts'
import { type Held, holdHelper } from './hold-helper.ts'
import { type CloneConfig, FILTER } from './make-clone.ts'
import { DELIMITER, FLUSH, lineReader, toLine } from './pkt-line.ts'
import { takePack } from './take-pack.ts'

/**
 * What a fetch asks of the server, over one connection that is kept: a `git fetch` starts four processes and makes a new
 * one. By protocol 2 (gitprotocol-v2(5)); of other servers nothing is had in this way.
 */
export interface UploadPack {
  /** The newest commit of the branch; undefined when there is none, or when it cannot be told, for whatever reason. */
  tip(directory: string): Promise<string | undefined>
  /** Puts a commit into the clone with all before it, down to one that the clone has; false when it cannot be had in this way. */
  bring(directory: string, commit: string, known: string): Promise<boolean>
  end(): Promise<void>
}

/** Prepares the exchange, in which one question follows the other; nothing is asked before the first. */
export function openUploadPack(config: CloneConfig): UploadPack {
  const held = holdHelper(config)
  const ref = `refs/heads/${config.branch}`
  const { fetch: timeout } = config.timeouts
  let server: Server | undefined
  const connect = async (directory: string) => {
    if (!hasHelper(config.remote.url)) return undefined
    const found = await held.of(directory)
    if (found.isNew) server = await greet(found, timeout)
    return server && { ...found, server }
  }
  const tip = async (directory: string) => {
    const found = await connect(directory)
    if (!found) return undefined
    const question = toQuestion('ls-refs', found.server, [`ref-prefix ${ref}`])
    const { code, stdout } = await found.helper.ask(question, isEnd, timeout)
    if (code !== 0) return undefined
    const tips = stdout.matchAll(/([0-9a-f]{40}|[0-9a-f]{64}) (\S+)\n/g)
    return [...tips].find(([, , name]) => name === ref)?.[1]
  }
  const bring: UploadPack['bring'] = async (directory, commit, known) => {
    const found = await connect(directory)
    const shallow = await shallowIn(directory)
    if (!found || (shallow.length > 0 && !found.server.can.includes('shallow'))) return false
    const options = [
      'thin-pack',
      'no-progress',
      'ofs-delta',
      ...(found.server.can.includes('filter') ? [`filter ${FILTER}`] : []),
    ]
    const history = [...shallow.map((id) => `shallow ${id}`), `want ${commit}`, `have ${known}`, 'done']
    const taking = takePack(config, directory, found.env)
    const reply = packReply(taking.write)
    const question = toQuestion('fetch', found.server, [...options, ...history])
    const { code } = await found.helper.stream(question, reply.take, timeout)
    // What was cut off or is none, index-pack refuses.
    const isTaken = await taking.end()
    return code === 0 && isTaken && reply.isUnderstood
  }
  return { tip, bring, end: held.end }
}

/** What a server said of itself. */
interface Server {
  format: string | undefined
  /** What its fetch can do beyond the least. */
  can: readonly string[]
}

async function greet({ helper }: Held, timeout: number): Promise<Server | undefined> {
  const answer = await helper.ask('stateless-connect git-upload-pack\n', isGreeting, timeout)
  if (answer.code !== 0 || answer.stdout === 'fallback\n') return undefined
  const [, format] = /object-format=(\w+)\n/.exec(answer.stdout) ?? []
  const [, can = ''] = /fetch=([\w -]+)\n/.exec(answer.stdout) ?? []
  return { format, can: can.split(' ') }
}

const isGreeting = (answer: string) => answer === 'fallback\n' || answer.endsWith(`\n${FLUSH}`)
const isEnd = (answer: string) => answer.endsWith(`${FLUSH}0002`)

function toQuestion(command: string, { format }: Server, lines: readonly string[]): string {
  const head = [`command=${command}`, ...(format ? [`object-format=${format}`] : [])]
  return `${head.map(toLine).join('')}${DELIMITER}${lines.map(toLine).join('')}${FLUSH}`
}

/** The commits below which the clone knows nothing; the server must not count on what is there. */
async function shallowIn(directory: string): Promise<string[]> {
  const text = await readFile(join(directory, 'shallow'), 'utf8').catch(() => '')
  return text.split('\n').filter(Boolean)
}

const PACK_DATA = 1
const PROGRESS = 2

/**
 * Reads the answer of a fetch that negotiates nothing: the pack in pieces, each with the band that it is of. Before it may
 * stand what has become of the history's lower end, which must be nothing.
 */
function packReply(onPack: (bytes: Buffer) => void) {
  let isPack = false
  let isUnderstood = true
  let isWhole = false
  const read = lineReader((line) => {
    if (typeof line === 'string') isWhole = line === 'response end'
    else if (!isPack) {
      isPack = line.toString() === 'packfile\n'
      isUnderstood &&= isPack || line.toString() === 'shallow-info\n'
    } else if (line[0] === PACK_DATA) onPack(line.subarray(1))
    else isUnderstood &&= line[0] === PROGRESS
  })
  return {
    /** Takes a piece, and says whether that was the last one. */
    take: (piece: Buffer): boolean => {
      read(piece)
      return isWhole
    },
    get isUnderstood() {
      return isPack && isUnderstood
    },
  }
}
