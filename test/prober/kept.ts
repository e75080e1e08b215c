import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** How a process is started, and how to know that it serves. */
export interface Program {
  name: string
  /** What Node runs, and its arguments. It ends with its standard input. */
  run: readonly string[]
  env: Record<string, string>
  /** The file that what it says is put behind. */
  log: string
  isReady(): Promise<boolean>
}

/** A process that is started again whenever it ends, as a container would be. */
export interface Kept {
  readonly name: string
  /** The process of now; undefined while there is none. */
  pid(): number | undefined
  /** How often it has ended by itself. */
  crashes(): number
  /** Kills it at once with all that it has started, and resolves when it serves again: true where it ended of that. */
  kill(pause: number): Promise<boolean>
  /** Says something to it, and resolves with its answer. */
  ask(words: object): Promise<unknown>
  close(): Promise<void>
}

const usualPause = 300

/** Starts a process and resolves once it serves. */
export async function keep(program: Program): Promise<Kept> {
  let child: ChildProcess | undefined
  let closing = false
  let crashes = 0
  let pause: number | undefined

  const begin = () => {
    const log = createWriteStream(program.log, { flags: 'a' })
    // It leads a group of its own, so that a kill reaches what it has started, as that of a container does.
    const started = spawn(process.execPath, [...program.run], {
      env: program.env,
      stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
      detached: true,
    })
    child = started
    for (const stream of [started.stdout, started.stderr]) stream?.pipe(log, { end: false })
    started.once('exit', () => {
      child = undefined
      log.end()
      if (closing) return
      if (pause === undefined) crashes += 1
      setTimeout(() => closing || begin(), pause ?? usualPause)
      pause = undefined
    })
  }

  begin()
  await until(program)
  return {
    name: program.name,
    pid: () => child?.pid,
    crashes: () => crashes,
    async kill(wanted) {
      const killed = child
      if (killed?.pid === undefined) return false
      pause = wanted
      const ended = once(killed, 'exit')
      process.kill(-killed.pid, 'SIGKILL')
      const [, signal] = (await ended) as [number | null, NodeJS.Signals | null]
      await sleep(wanted)
      await until(program)
      return signal === 'SIGKILL'
    },
    async ask(words) {
      if (!child) throw new Error(`Cannot ask ${program.name}: it does not run`)
      const answer = once(child, 'message')
      child.send(words)
      const [said] = await answer
      return said
    },
    async close() {
      closing = true
      const ending = child
      if (ending?.pid === undefined) return
      const ended = once(ending, 'exit')
      ending.stdin?.end()
      const timer = setTimeout(() => process.kill(-(ending.pid ?? 0), 'SIGKILL'), 8_000)
      await ended
      clearTimeout(timer)
    },
  }
}

async function until({ name, log, isReady }: Program): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(30)) if (await isReady()) return
  throw new Error(`Cannot go on: ${name} does not serve within 60 s, ${log} says why`)
}

/** True once something listens at a port of this machine. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1')
    const answer = (is: boolean) => {
      socket.destroy()
      done(is)
    }
    socket.once('connect', () => answer(true)).once('error', () => answer(false))
  })
}

/** True once a function says that it is ready. */
export const isReadyAt = (address: string): Promise<boolean> =>
  fetch(`${address}health/readiness`, { signal: AbortSignal.timeout(2_000) }).then(
    async (answer) => {
      await answer.body?.cancel()
      return answer.ok
    },
    () => false,
  )
