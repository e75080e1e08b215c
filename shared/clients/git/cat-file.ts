import { DroverError } from '../../errors.ts'
import { mostBytes } from '../../file-size.ts'
import { endGit, startGit } from './process.ts'

export interface GitObject {
  oid: string
  type: string
  /** In bytes. */
  size: number
  /** Empty for a file that is larger than one may be: it is never held as a whole. */
  content: Buffer
}

/** One long-lived `git cat-file --batch`: questions are answered in the order in which they are asked. */
export interface ObjectReader {
  /** The object of this name, or undefined when there is none. Fails when the child ends or does not answer in time. */
  read(name: string): Promise<GitObject | undefined>
  /** Lets the child end when it has answered what was asked. */
  finish(): void
  /** Ends the child now. */
  end(): void
  readonly ended: boolean
}

interface Question {
  answer(object: GitObject | undefined): void
  fail(error: DroverError): void
  timer: NodeJS.Timeout
}

export interface ReaderConfig {
  directory: string
  env: Record<string, string>
  timeout: number
  redact(text: string): string
}

/** Starts the child. Objects that the partial clone does not hold are fetched by Git itself when they are asked for. */
export function startReader({ directory, env, timeout, redact }: ReaderConfig): ObjectReader {
  const child = startGit({ directory, args: ['cat-file', '--batch'], env })
  const questions: Question[] = []
  let ended = false
  let stderr = ''
  const collect = collector((object) => settle(questions)?.answer(object))

  const endAll = (why: string, cause?: unknown) => {
    ended = true
    const message = `Cannot read the fleet repository: ${why}`
    for (let next = settle(questions); next; next = settle(questions))
      next.fail(new DroverError('busy', message, { cause }))
  }
  child.stdout?.on('data', collect)
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = redact(stderr + chunk.toString('utf8')).slice(-2_000)
  })
  child.stdin?.on('error', () => undefined)
  child.once('error', (cause) => endAll('git could not be started', cause))
  child.once('close', () => endAll('git ended before it answered', stderr))

  const read = (name: string) =>
    new Promise<GitObject | undefined>((answer, fail) => {
      if (ended) return fail(new DroverError('busy', 'Cannot read the fleet repository: the reader has ended'))
      const late = () => {
        endGit(child)
        endAll(`no answer within ${timeout} ms`, stderr)
      }
      questions.push({ answer, fail, timer: setTimeout(late, timeout) })
      child.stdin?.write(`${name}\n`)
    })
  return {
    read,
    finish: () => child.stdin?.end(),
    end: () => endGit(child),
    get ended() {
      return ended
    },
  }
}

function settle(questions: Question[]): Question | undefined {
  const question = questions.shift()
  clearTimeout(question?.timer)
  return question
}

/** Cuts the stream into answers: `<oid> <type> <size>\n<content>\n`, or `<name> missing\n`. */
function collector(onAnswer: (object: GitObject | undefined) => void): (chunk: Buffer) => void {
  let chunks: Buffer[] = []
  let length = 0
  let needed = 0
  /** How much still comes of a file that is not wanted. */
  let passing = 0
  return (chunk) => {
    const passed = Math.min(passing, chunk.length)
    passing -= passed
    chunks.push(chunk.subarray(passed))
    length += chunk.length - passed
    if (length < needed) return
    let rest = Buffer.concat(chunks, length)
    for (;;) {
      const line = rest.indexOf(0x0a)
      const [, oid = '', type = '', bytes] =
        (line < 0 ? undefined : /^([0-9a-f]+) ([a-z]+) (\d+)$/.exec(rest.toString('latin1', 0, line))) ?? []
      const size = Number(bytes ?? 0)
      const end = line + 1 + (bytes === undefined ? 0 : size + 1)
      const isLarge = type === 'blob' && size > mostBytes
      needed = isLarge ? 0 : end
      if (line < 0 || (rest.length < end && !isLarge)) break
      const content = isLarge ? Buffer.alloc(0) : rest.subarray(line + 1, end - 1)
      onAnswer(bytes === undefined ? undefined : { oid, type, size, content })
      passing = Math.max(0, end - rest.length)
      rest = rest.subarray(end)
    }
    chunks = rest.length > 0 ? [rest] : []
    length = rest.length
  }
}
