import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdirSync } from 'node:fs'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { load } from '../functions/load.ts'
import { type Environment, readConfig } from '../shared/config.ts'
import { type FunctionName, functionNames } from '../shared/lifecycles.ts'
import { serve } from '../shared/runtime/function.ts'
import { startRuntime } from '../shared/runtime/start.ts'
import { freePorts } from './free-port.ts'

/** Every function on faas-js-runtime, as on a cluster: each at an address of its own. */
export interface Functions {
  close(): Promise<void>
  /** Kills one at once, as a node that fails would, and says whether there was one; it is started again. Only where they are processes. */
  kill(name: FunctionName): boolean
  /** How many processes have ended so far that were to go on. */
  ends(): number
}

export type Ports = Record<FunctionName, number>

/** Free ports, one for each function. The runtime takes no port 0, so they are looked for beforehand. */
export async function choosePorts(): Promise<Ports> {
  const ports = await freePorts(functionNames.length)
  return Object.fromEntries(functionNames.map((name, index) => [name, ports[index]])) as Ports
}

/** Answers a delivery in a function's stead, to see what follows when it fails: an HTTP status, or undefined to let it pass. */
export type Tamper = (name: FunctionName, event: { id: string; type: string; run: string }) => number | undefined

/** Serves all functions within this process: for tests. */
export async function startInline(
  ports: Ports,
  environmentOf: (name: FunctionName) => Environment,
  tamper: Tamper = () => undefined,
): Promise<Functions> {
  // The runtime adds its signal handlers once for each function.
  process.setMaxListeners(process.getMaxListeners() + functionNames.length)
  const running: { server: Server; shutdown: () => Promise<void> }[] = []
  for (const name of functionNames) {
    const module = serve(name, load, readConfig({ ...environmentOf(name), FUNCTION: name }))
    const server = await startRuntime(module, ports[name])
    tamperWith(server, (event) => tamper(name, event))
    running.push({ server, shutdown: module.shutdown })
  }
  return {
    kill: () => false,
    ends: () => 0,
    async close() {
      await Promise.all(
        running.map(async ({ server, shutdown }) => {
          server.closeAllConnections()
          server.close()
          await shutdown()
        }),
      )
    },
  }
}

function tamperWith(server: Server, tamper: (event: Parameters<Tamper>[1]) => number | undefined): void {
  const inner = server.listeners('request') as ((request: IncomingMessage, response: ServerResponse) => void)[]
  server.removeAllListeners('request')
  server.on('request', (request, response) => {
    const header = (name: string) => String(request.headers[name] ?? '')
    const status = tamper({ id: header('ce-id'), type: header('ce-type'), run: header('ce-runid') })
    if (status === undefined) for (const listener of inner) listener(request, response)
    else response.writeHead(status).end()
  })
}

const restartAfter = 300

/** Serves each function in a process of its own, from the bundle; one that dies is started again, as Knative would. */
export async function startProcesses(
  bundle: string,
  ports: Ports,
  logs: string,
  environmentOf: (name: FunctionName) => Environment,
): Promise<Functions> {
  mkdirSync(logs, { recursive: true })
  const children = new Map<FunctionName, ChildProcess>()
  const stillborn = Promise.withResolvers<never>()
  let isUp = false
  let closing = false
  let ends = 0
  const begin = (name: FunctionName) => {
    const log = createWriteStream(join(logs, `${name}.log`), { flags: 'a' })
    const env = { ...environmentOf(name), FUNCTION: name, PORT: String(ports[name]) }
    // Each leads a group of its own, so that Ctrl-C reaches them in our order; when we die, so do they.
    // Its name is for those who look at the list of processes.
    const child = spawn(process.execPath, [new URL('function-process.ts', import.meta.url).pathname, bundle, name], {
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    })
    child.stdout.pipe(log, { end: false })
    child.stderr.pipe(log, { end: false })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-2_000)
    })
    child.once('close', () => {
      log.end()
      // What ends before it has served once, for its settings or a port that is taken, would do so again and again.
      if (!isUp)
        return stillborn.reject(new Error(`Cannot start the function "${name}": ${said.trim() || 'it ended at once'}`))
      if (closing) return
      ends += 1
      setTimeout(() => closing || begin(name), restartAfter)
    })
    children.set(name, child)
  }
  const close = async () => {
    closing = true
    await Promise.all([...children.values()].map(end))
  }
  for (const name of functionNames) begin(name)
  const allReady = Promise.all(functionNames.map((name) => awaitReady(ports[name], name)))
  allReady.catch(() => undefined)
  try {
    await Promise.race([allReady, stillborn.promise])
  } catch (error) {
    await close()
    throw error
  }
  isUp = true
  return { kill: (name) => children.get(name)?.kill('SIGKILL') ?? false, ends: () => ends, close }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 8_000)
  await ended
  clearTimeout(timer)
}

/** Waits until a function is ready, up to a minute: one that is not by then never will be. */
export async function awaitReady(port: number, name: string): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await new Promise((done) => setTimeout(done, 30))) {
    const ready = await fetch(`http://127.0.0.1:${port}/health/readiness`).then(
      (answer) => answer.ok,
      () => false,
    )
    if (ready) return
  }
  throw new Error(`Cannot start the function "${name}": it was not ready within 60 s, its log says why`)
}
