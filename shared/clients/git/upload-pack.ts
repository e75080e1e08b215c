import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { toFailure } from './failure.ts'
import { hasHelper } from './helper.ts'
import { type Held, holdHelper } from './hold-helper.ts'
import { indexPack } from './index-pack.ts'
import { type CloneConfig, FILTER } from './make-clone.ts'
import { DELIMITER, FLUSH, lineReader, toLine } from './pkt-line.ts'
import type { GitResult } from './process.ts'
import { quicker } from './quicker.ts'

/**
 * What a fetch does, over one connection that is kept: a `git fetch` starts four processes and makes a new one. By protocol 2
 * (gitprotocol-v2(5)); of other servers nothing is had in this way.
 */
export interface UploadPack {
  /**
   * The newest commit of the branch, which is in the clone then, with all that came after one that the clone has; undefined
   * when it cannot be had in this way, for whatever reason. Throws when the server does not answer in time.
   */
  fetch(directory: string, known: string): Promise<string | undefined>
  end(): Promise<void>
}

/** What a server said of itself. */
interface Server {
  /** What its fetch can do beyond the least. */
  can: readonly string[]
}

/** A server to which we are connected, and how many milliseconds there are left. */
interface Connected extends Held {
  server: Server
  left: () => number
}

/** Prepares the exchange, in which one question follows the other; nothing is asked before the first. */
export function openUploadPack(config: CloneConfig): UploadPack {
  const held = holdHelper(config)
  let server: Server | undefined
  const way = quicker()
  const inTime = (result: GitResult): boolean => {
    if (result.timedOut) throw toFailure('read the fleet repository', result, config.remote.redact).error
    return result.code === 0
  }
  const connect = async (directory: string, left: () => number): Promise<Connected | undefined> => {
    const found = await held.of(directory)
    if (found.isNew) {
      server = undefined
      const answer = await found.helper.ask('stateless-connect git-upload-pack\n', isGreeting, left())
      if (inTime(answer) && answer.stdout !== 'fallback\n') server = toServer(answer.stdout)
    }
    return server && { ...found, server, left }
  }
  const tipOf = async ({ helper, left }: Connected): Promise<string | undefined> => {
    const ref = `refs/heads/${config.branch}`
    let tip: string | undefined
    const take = answerReader((line) => {
      const [id = '', name] = textOf(line).split(' ')
      if (name === ref && COMMIT.test(id)) tip = id
    })
    const question = toQuestion('ls-refs', [`ref-prefix ${ref}`])
    return inTime(await helper.stream(question, take, left())) ? tip : undefined
  }
  const fetchPack = async ({ helper, server, env, left }: Connected, directory: string, commits: Commits) => {
    const shallow = await shallowIn(directory)
    if (shallow.length > 0 && !server.can.includes('shallow')) return false
    const indexing = indexPack(config, { directory, env, timeout: left() })
    const read = answerReader(packReader(indexing.write))
    const take = async (piece: Buffer) => {
      const isWhole = read(piece)
      await indexing.ready()
      return isWhole
    }
    const question = toQuestion('fetch', wanted(server, commits, shallow))
    const result = await helper.stream(question, take, left())
    // What was cut off or is none, it refuses.
    const isTaken = await indexing.end()
    return inTime(result) && isTaken
  }
  return {
    fetch: async (directory, known) => {
      if (!hasHelper(config.remote.url) || !way.isTried) return undefined
      const until = performance.now() + config.timeouts.fetch
      const found = await connect(directory, () => Math.max(1, until - performance.now()))
      const tip = found && (await tipOf(found))
      if (!found || tip === undefined || tip === known) return tip
      const isFetched = await fetchPack(found, directory, { tip, known })
      way.went(isFetched)
      return isFetched ? tip : undefined
    },
    end: held.end,
  }
}

const COMMIT = /^[0-9a-f]{40}$/
const isGreeting = (answer: string) => answer === 'fallback\n' || answer.endsWith(`\n${FLUSH}`)

function toServer(greeting: string): Server {
  const [, can = ''] = /fetch=([\w -]+)\n/.exec(greeting) ?? []
  return { can: can.split(' ') }
}

function toQuestion(command: string, lines: readonly string[]): string {
  return `${toLine(`command=${command}`)}${DELIMITER}${lines.map(toLine).join('')}${FLUSH}`
}

interface Commits {
  tip: string
  known: string
}

/**
 * What a fetch would ask for, without negotiating: the server has what we have, but where the branch was rewritten, and there
 * it may still have what the clone began with. Not thin: a file that has changed would come as what differs from one that we
 * most likely never read, and index-pack would start a fetch of its own for that.
 */
const wanted = ({ can }: Server, { tip, known }: Commits, shallow: readonly string[]): string[] => [
  ...['no-progress', 'ofs-delta'],
  ...(can.includes('filter') ? [`filter ${FILTER}`] : []),
  // Below these the clone knows nothing; the server must not count on what is there.
  ...shallow.map((id) => `shallow ${id}`),
  ...[`want ${tip}`, `have ${known}`],
  ...shallow.map((id) => `have ${id}`),
  'done',
]

async function shallowIn(directory: string): Promise<string[]> {
  const text = await readFile(join(directory, 'shallow'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  return text.split('\n').filter(Boolean)
}

const textOf = (line: Buffer): string => line.toString().replace(/\n$/, '')

/** Hands on the lines of an answer, and says of each piece whether it was the last one. */
function answerReader(onLine: (line: Buffer) => void): (piece: Buffer) => boolean {
  let isWhole = false
  const read = lineReader((line) => {
    if (typeof line === 'string') isWhole = line === 'response end'
    else if (line.toString('latin1', 0, 4) === 'ERR ') throw new Error('The Git server does not answer')
    else onLine(line)
  })
  return (piece) => {
    read(piece)
    return isWhole
  }
}

const PACK_DATA = 1
const PROGRESS = 2

/**
 * Reads the lines of a fetch: the pack, in pieces that each say of which band they are. Before it may stand what has become
 * of the lower end of our history, which must be nothing. Throws at whatever else there is.
 */
function packReader(onPack: (bytes: Buffer) => void): (line: Buffer) => void {
  let isPack = false
  return (line) => {
    if (isPack && line[0] === PACK_DATA) return onPack(line.subarray(1))
    if (isPack && line[0] === PROGRESS) return
    isPack = !isPack && textOf(line) === 'packfile'
    if (!isPack && textOf(line) !== 'shallow-info') throw new Error('The Git server answers something else than a pack')
  }
}
