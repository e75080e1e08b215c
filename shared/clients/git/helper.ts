import { StringDecoder } from 'node:string_decoder'
import { endGit, type GitResult, startGit } from './process.ts'

/**
 * A `git remote-http` that is kept (gitremote-helpers(7)). It is what fetch and push start to talk to a server, and most of
 * their time goes into starting it and into a new connection; this one has both already.
 */
export interface Helper {
  /** Gives a command, and answers with what comes back once that is whole; one command after the other. */
  ask(command: string, isWhole: (answer: string) => boolean, timeout: number): Promise<GitResult>
  /** The same for an answer that is not kept: `take` is given each piece, and says whether that was the last one. */
  stream(command: string, take: (piece: Buffer) => boolean, timeout: number): Promise<GitResult>
  /** Lets it end, and answers with all that it said on the way. */
  finish(): Promise<string>
  /** Ends it now. */
  end(): void
  readonly ended: boolean
}

export interface HelperConfig {
  directory: string
  url: string
  env: Record<string, string>
}

/** Only HTTP has a helper of its own; for the rest, git itself starts what it needs. */
export const hasHelper = (url: string): boolean => /^https?:/.test(url)

/** Starts the helper; it asks nothing of the server before it is told to. */
export function startHelper({ directory, url, env }: HelperConfig): Helper {
  const child = startGit({ directory, args: [`remote-${new URL(url).protocol.slice(0, -1)}`, url, url], env })
  let ended = false
  let said = ''
  let onPiece: (piece: Buffer) => void = () => undefined
  let onEnd: () => void = () => undefined
  let code: number | undefined
  child.stdin?.on('error', () => undefined)
  child.stdout?.on('data', (piece: Buffer) => onPiece(piece))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-10_000)
  })
  const closed = new Promise<void>((done) => {
    const end = (status: number | null) => {
      ended = true
      code = status ?? undefined
      onEnd()
      done()
    }
    child.once('error', () => end(null))
    child.once('close', end)
  })

  const stream: Helper['stream'] = (command, take, timeout) =>
    new Promise((resolve) => {
      said = ''
      let timedOut = false
      const timer = setTimeout(() => {
        timedOut = true
        endGit(child)
      }, timeout)
      const settle = (status: number) => {
        clearTimeout(timer)
        onPiece = () => undefined
        onEnd = () => undefined
        resolve({ code: timedOut ? undefined : status, timedOut, stdout: '', stderr: said })
      }
      onPiece = (piece) => {
        try {
          if (take(piece)) settle(0)
        } catch {
          // After what is not understood nothing else would be.
          endGit(child)
        }
      }
      // One that ended before it answered has failed, whatever it says of itself.
      onEnd = () => settle(code || 1)
      if (ended) onEnd()
      else child.stdin?.write(command)
    })
  const ask: Helper['ask'] = async (command, isWhole, timeout) => {
    const decoder = new StringDecoder('utf8')
    let stdout = ''
    const take = (piece: Buffer) => {
      stdout += decoder.write(piece)
      return isWhole(stdout)
    }
    return { ...(await stream(command, take, timeout)), stdout }
  }
  return {
    ask,
    stream,
    finish: async () => {
      child.stdin?.end()
      const timer = setTimeout(() => endGit(child), 1_000)
      await closed
      clearTimeout(timer)
      return said
    },
    end: () => endGit(child),
    get ended() {
      return ended
    },
  }
}
