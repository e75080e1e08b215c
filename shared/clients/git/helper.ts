import { StringDecoder } from 'node:string_decoder'
import { endGit, type GitResult, startGit } from './process.ts'

/**
 * A `git remote-http` that is kept (gitremote-helpers(7)). It is what fetch and push start to talk to a server, and most of
 * their time goes into starting it and into a new connection; this one has both already.
 */
export interface Helper {
  /** Gives a command, and answers with what comes back once that is whole; one command after the other. */
  ask(command: string, isWhole: (answer: string) => boolean, timeout: number): Promise<GitResult>
  /** The same for an answer that is not kept: `take` is given each piece, the next one when it has said whether that was the last. */
  stream(command: string, take: Take, timeout: number): Promise<GitResult>
  /** Lets it end, and answers with all that it said on the way. */
  finish(): Promise<string>
  /** Ends it now. */
  end(): void
  readonly ended: boolean
  /** Whether it has been given a command that it has not answered. */
  readonly isBusy: boolean
}

export type Take = (piece: Buffer) => boolean | Promise<boolean>

export interface HelperConfig {
  directory: string
  url: string
  env: Record<string, string>
}

/** Only HTTP has a helper of its own; for the rest, git itself starts what it needs. */
export const hasHelper = (url: string): boolean => /^https?:/.test(url)

const nobody = () => undefined

/** Starts the helper; it asks nothing of the server before it is told to. */
export function startHelper({ directory, url, env }: HelperConfig): Helper {
  const child = startGit({ directory, args: [`remote-${new URL(url).protocol.slice(0, -1)}`, url, url], env })
  let ended = false
  let said = ''
  let onPiece: (piece: Buffer) => unknown = nobody
  let onEnd: () => void = nobody
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
      let isSettled = false
      const timer = setTimeout(() => {
        timedOut = true
        endGit(child)
      }, timeout)
      const settle = (status: number) => {
        if (isSettled) return
        isSettled = true
        clearTimeout(timer)
        onPiece = nobody
        onEnd = nobody
        resolve({ code: timedOut ? undefined : status, timedOut, stdout: '', stderr: said })
      }
      onPiece = async (piece) => {
        child.stdout?.pause()
        try {
          if (await take(piece)) settle(0)
        } catch {
          // After what is not understood nothing else would be.
          if (!isSettled) onPiece = nobody
          endGit(child)
        }
        child.stdout?.resume()
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
    get isBusy() {
      return onEnd !== nobody
    },
  }
}
