import { AsyncLocalStorage } from 'node:async_hooks'
import childProcess, { type ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import dns from 'node:dns'
import fs from 'node:fs'
import http, { type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { isToEnd, type Moment } from './orders.ts'

/**
 * Loaded before a function (`--import`), it passes on to `orders.ts` every call that the function makes to the outside while it
 * handles an event, and the answer. It knows nothing of Drover's clients: it listens where Node itself starts processes, sends
 * requests and asks name servers, so that a call which is new is there by itself.
 */

/** Where the orders are, and where secrets are mounted: the address of this module says it, for variables are the function's. */
const { searchParams } = new URL(import.meta.url)
const orders = searchParams.get('orders') ?? ''
const mounted = searchParams.get('mounted') ?? ''
/** As `local/function-process.ts` is started. */
const functionName = process.argv[3] ?? ''

/** One delivery, with how often each call was made in it. */
interface Delivery {
  type: string
  counts: Map<string, number>
}

type Pass = (moment: Moment) => void

/** Whoever waits looks again and again: what comes after so many of the same calls is as those before. */
const most = 3

const deliveries = new AsyncLocalStorage<Delivery>()
const nothing: Pass = () => undefined

/** Counts a call; its moments are told by what comes back. */
function begin(call: string): Pass {
  const delivery = deliveries.getStore()
  if (!delivery) return nothing
  const { type, counts } = delivery
  const ordinal = (counts.get(call) ?? 0) + 1
  counts.set(call, ordinal)
  if (ordinal > most) return nothing
  return (moment) => {
    if (isToEnd(orders, functionName, { type, call, ordinal, moment })) process.kill(process.pid, 'SIGKILL')
  }
}

// Deliveries, and the answers to them.

const answers = new WeakMap<ServerResponse, Pass>()
const { emit } = http.Server.prototype
http.Server.prototype.emit = function (this: http.Server, name: string | symbol, ...given: unknown[]): boolean {
  const [request, response] = given as [IncomingMessage, ServerResponse]
  const type = name === 'request' ? request.headers['ce-type'] : undefined
  if (typeof type !== 'string') return Reflect.apply(emit, this, [name, ...given])
  const delivery: Delivery = { type, counts: new Map() }
  return deliveries.run(delivery, () => {
    answers.set(response, begin('answer'))
    // The body comes in by the connection, which belongs to no delivery.
    const { emit: emitOf } = request
    request.emit = (...one: unknown[]) => deliveries.run(delivery, () => Reflect.apply(emitOf, request, one))
    return Reflect.apply(emit, this, [name, ...given])
  })
}

const { end } = http.ServerResponse.prototype
http.ServerResponse.prototype.end = function (this: ServerResponse, ...given: unknown[]): ServerResponse {
  const pass = answers.get(this)
  answers.delete(this)
  pass?.('before')
  if (pass) this.once('finish', () => pass('after'))
  return Reflect.apply(end, this, given)
}

// Git. What is asked of a `git cat-file` that is kept is only read, mostly from the disk beside it: its start is a point.

const { spawn } = childProcess
function watchedSpawn(command: string, args: readonly string[], options: childProcess.SpawnOptions): ChildProcess {
  if (command !== 'git') return spawn(command, args, options)
  const word = args.find((one) => /^[a-z]/.test(one)) ?? ''
  const pass = begin(`git ${word}`)
  pass('before')
  const child = spawn(command, args, options)
  const isKept = word === 'cat-file' || word.startsWith('remote-')
  child.once(isKept ? 'spawn' : 'close', () => pass('after'))
  if (word.startsWith('remote-')) watchHelper(child)
  return child
}
childProcess.spawn = watchedSpawn as typeof spawn

/** A helper that is kept, and given one command after the other. */
function watchHelper({ stdin, stdout }: ChildProcess): void {
  if (!stdin || !stdout) return
  const { write } = stdin
  let answered = nothing
  stdin.write = (...given: unknown[]): boolean => {
    const [word = 'ls-refs'] = /^(list|push|stateless-connect)\b/.exec(String(given[0])) ?? []
    const pass = begin(`git ${word}`)
    pass('before')
    answered = pass
    const isWritten: boolean = Reflect.apply(write, stdin, given)
    if (word === 'push') pass('during')
    return isWritten
  }
  stdout.on('data', () => {
    answered('after')
    answered = nothing
  })
}

// HTTP: fetch, Node's own and that of a library; and what is requested in the old way.

const requests = new WeakMap<object, Pass>()
const isChange = (method: string) => method !== 'GET'

function sent(request: object, method: string, path: string): void {
  const pass = begin(wordsFor(method, path))
  requests.set(request, pass)
  pass('before')
}

/** The kind of a Kubernetes object, the first word of any other path: names differ from run to run. */
function wordsFor(method: string, path: string): string {
  const [, plural] = /^\/apis?\/(?:[^/]+\/)?v\d[^/]*\/(?:namespaces\/[^/]+\/)?([^/?]+)/.exec(path) ?? []
  if (plural !== undefined) return `${/[?&]watch=/.test(path) ? 'WATCH' : method} ${plural}`
  return `${method} ${/^\/[^/?]*/.exec(path)?.[0] ?? ''}`
}

interface Undici {
  request: { method: string; path: string }
}
subscribe('undici:request:create', (message) => {
  const { request } = message as Undici
  sent(request, request.method, request.path)
})
subscribe('undici:request:bodySent', (message) => {
  const { request } = message as Undici
  if (isChange(request.method)) requests.get(request)?.('during')
})
subscribe('undici:request:headers', (message) => requests.get((message as Undici).request)?.('after'))

interface Client {
  request: ClientRequest
}
subscribe('http.client.request.created', (message) => {
  const { request } = message as Client
  sent(request, request.method, request.path)
})
subscribe('http.client.request.start', (message) => {
  const { request } = message as Client
  // The body goes on its way within the same turn.
  if (isChange(request.method)) setImmediate(() => requests.get(request)?.('during'))
})
subscribe('http.client.response.finish', (message) => requests.get((message as Client).request)?.('after'))

// Name servers.

const { resolve } = dns.promises.Resolver.prototype
dns.promises.Resolver.prototype.resolve = async function (this: dns.promises.Resolver, ...given: unknown[]) {
  const pass = begin(`resolve ${String(given[1])}`)
  pass('before')
  const answer = await Reflect.apply(resolve, this, given)
  pass('after')
  return answer
} as typeof resolve

// Secrets that are mounted.

const { readFileSync } = fs
fs.readFileSync = ((...given: unknown[]) => {
  if (mounted === '' || !String(given[0]).startsWith(mounted)) return Reflect.apply(readFileSync, fs, given)
  const pass = begin(`read ${String(given[0]).slice(mounted.length + 1)}`)
  pass('before')
  const text = Reflect.apply(readFileSync, fs, given)
  pass('after')
  return text
}) as typeof readFileSync
