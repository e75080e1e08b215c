import { endGit, type GitResult, startGit } from './process.ts'

/**
 * A `git remote-http` that is kept (gitremote-helpers(7)). It is what fetch and push start to talk to a server, and most of
 * their time goes into starting it and into a new connection; this one has both already.
 */
export interface Helper {
  /** Gives a command, and answers with what comes back once that is whole; one command after the other. */
  ask(command: string, isWhole: (answer: string) => boolean, timeout: number): Promise<GitResult>
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
  let answer = ''
  let onAnswer: () => void = () => undefined
  let code: number | undefined
  child.stdin?.on('error', () => undefined)
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    answer += text
    onAnswer()
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-10_000)
  })
  const closed = new Promise<void>((done) => {
    const end = (status: number | null) => {
      ended = true
      code = status ?? undefined
      onAnswer()
      done()
    }
    child.once('error', () => end(null))
    child.once('close', end)
  })

  const ask: Helper['ask'] = (command, isWhole, timeout) =>
    new Promise((resolve) => {
      answer = ''
      said = ''
      let timedOut = false
      const timer = setTimeout(() => {
        timedOut = true
        endGit(child)
      }, timeout)
      onAnswer = () => {
        const isAnswered = isWhole(answer)
        if (!isAnswered && !ended) return
        clearTimeout(timer)
        onAnswer = () => undefined
        // One that ended before it answered has failed, whatever it says of itself.
        const status = isAnswered ? 0 : code || 1
        resolve({ code: timedOut ? undefined : status, timedOut, stdout: answer, stderr: said })
      }
      if (ended) onAnswer()
      else child.stdin?.write(command)
    })
  return {
    ask,
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
