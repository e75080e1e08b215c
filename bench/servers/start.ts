import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { get } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { toFile } from '../../scripts/build.ts'
import { freePort } from '../../test/free-port.ts'

/** A server in a process of its own. */
export interface Server {
  pid: number
  port: number
  /** Milliseconds from before its start until it answered 200. */
  started: number
  close(): Promise<void>
}

/** Bundles one of this folder as Drover itself is bundled. */
export async function bundled(name: 'no-op' | 'bare' | 'chain-no-op', directory: string): Promise<string> {
  const file = join(directory, `${name}.cjs`)
  await toFile(new URL(`${name}.ts`, import.meta.url).pathname, file)
  return file
}

const patience = 60_000

/** Starts a bundle and waits until it answers 200. */
export async function startServer(bundle: string, path: string, env: Record<string, string>): Promise<Server> {
  const port = await freePort()
  const began = performance.now()
  const child = spawn(process.execPath, [bundle], {
    env: { ...env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  // One that outlived us would hold its port, and the processor, for ever.
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2_000)
  })
  while (!(await isReady(port, path))) {
    const isLate = performance.now() - began > patience
    if (child.exitCode === null && !isLate) continue
    child.kill('SIGKILL')
    throw new Error(`Cannot start ${bundle}: it did not answer 200: ${said}`)
  }
  const started = performance.now() - began
  return { pid: child.pid ?? 0, port, started, close: () => end(child) }
}

async function isReady(port: number, path: string): Promise<boolean> {
  const isGood = await new Promise<boolean>((resolve) => {
    const sent = get({ host: '127.0.0.1', port, path, agent: false }, (answer) => {
      answer.resume()
      resolve(answer.statusCode === 200)
    })
    sent.once('error', () => resolve(false))
  })
  if (!isGood) await sleep(2)
  return isGood
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}
