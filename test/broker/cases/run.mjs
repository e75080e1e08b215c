#!/usr/bin/env node
// Runs the table of Broker cases (*.json beside this file) against a Broker and says which observations differ. No dependencies.
//
// usage: run.mjs [--cases DIR]... [--only TEXT] [mode] [options]
//   the real Broker:   --broker URL --kubeconfig FILE [--kubectl PATH]   applies the YAML and waits until every object serves
//   an embedded one:   --broker URL --setup 'COMMAND'                    see README.md for what COMMAND must do
//   only the YAML:     --yaml-only DIR --port N                          one file per set of Brokers and Triggers, then ends
//   already serving:   --broker URL --port N                             that YAML (same --port and --namespace) is loaded
// options
//   --cases DIR       a folder of case files (may repeat; default: this file's folder)
//   --only TEXT       only the cases whose "topic/id: name" contains TEXT
//   --just FILE       only the cases that FILE names: JSON, a list of "topic/id"
//   --skip FILE       all cases but those that FILE names: JSON, a list of "topic/id", or an object with them as its keys
//   --port N          first of three loopback ports for the subscribers (default: free ones; 27600 with --yaml-only)
//   --namespace NAME  namespace of the Brokers (default broker-cases; a second one is NAME-2)
//   --jobs N          sets of Brokers that are exercised at once (default 8)
//   --runs N          run the table N times on one setup (default 1)
//   --patience N      multiply every quiet period and limit, for a slow machine (default 1)
//   --keep            leave the objects in the cluster
//   --record          write what was observed into the case files as `expect` (only where missing; --rerecord: everywhere)
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual, parseArgs, promisify } from 'node:util'

const { values: options } = parseArgs({
  options: {
    cases: { type: 'string', multiple: true, default: [dirname(fileURLToPath(import.meta.url))] },
    only: { type: 'string' },
    just: { type: 'string' },
    skip: { type: 'string' },
    broker: { type: 'string' },
    kubeconfig: { type: 'string' },
    kubectl: { type: 'string', default: 'kubectl' },
    setup: { type: 'string' },
    'yaml-only': { type: 'string' },
    port: { type: 'string' },
    namespace: { type: 'string', default: 'broker-cases' },
    jobs: { type: 'string', default: '8' },
    runs: { type: 'string', default: '1' },
    patience: { type: 'string', default: '1' },
    keep: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    rerecord: { type: 'boolean', default: false },
  },
})
const patience = Number(options.patience)
const probeType = 'broker.cases.probe'
const posterTrace = '0af7651916cd43dd8448eb211c80319c'
const sleep = (ms) => new Promise((done) => setTimeout(done, ms))

// --- the table -------------------------------------------------------------------------------------------------------------
/** Reads the case files and gives every case its set: the Brokers, Triggers and subscribers it runs on. */
function readTable() {
  const files = options.cases.flatMap((dir) => readdirSync(dir).filter((f) => f.endsWith('.json')).sort().map((f) => join(resolve(dir), f)))
  return files.map((path) => {
    const file = { path, ...JSON.parse(readFileSync(path, 'utf8')) }
    const sets = new Map()
    for (const [key, set] of Object.entries(file.sets ?? {})) sets.set(key, { ...set, id: `${file.topic}-${key}` })
    for (const one of file.cases) {
      if (one.triggers) sets.set(one.id, { brokers: one.brokers, triggers: one.triggers, id: `${file.topic}-${one.id}` })
      one.topic = file.topic
      one.on = sets.get(one.set ?? one.id)
      if (!one.on) throw new Error(`${path}: case "${one.id}" names no set`)
    }
    return file
  })
}

/** The Brokers of a set: `main` unless it names others. */
const brokersOf = (set) => Object.entries(set.brokers ?? { main: {} }).map(([key, spec]) => ({ key, ...place(set, key), ...spec }))

/** Namespace and name of a Broker. The key `other/main` lies in the second namespace, with the name that `main` has in the first. */
function place(set, key) {
  const second = key.startsWith('other/')
  const short = second ? key.slice(6) : key
  const name = short === 'main' ? set.id : `${set.id}-${short}`
  if (name.length > 40) throw new Error(`the Broker name ${name} is longer than 40 characters`)
  return { namespace: second ? `${options.namespace}-2` : options.namespace, name }
}

// --- subscribers -----------------------------------------------------------------------------------------------------------
/** Where a subscriber is reached: a path on the shared port, or a port of its own when the name says so. */
function addressOf(set, subscriber) {
  const at = (offset) => `http://127.0.0.1:${ports[offset]}`
  if (subscriber === 'root') return at(1) // a URI without a path
  if (subscriber === 'refused') return at(2) // nobody listens
  return `${at(0)}/${set.id}/${subscriber}`
}

let ports = []
const books = new Map() // set id -> { deliveries, scripts, probed }
const bookOf = (id) => books.get(id) ?? books.set(id, { deliveries: [], scripts: {}, seen: new Map(), probed: new Set(), last: 0 }).get(id)

/** Answers the Broker as the running case says, and writes down what came. */
function serveSubscriber(request, response) {
  const [, setId, name] = request.socket.localPort === ports[1] ? ['', rootSet, 'root'] : request.url.split('/')
  const at = performance.now()
  const chunks = []
  request.on('error', () => {})
  response.on('error', () => {})
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    const book = bookOf(setId)
    const delivery = describeDelivery(request, Buffer.concat(chunks), setId)
    if (delivery.event?.type === probeType) {
      book.probed.add(name)
      return response.writeHead(204).end()
    }
    book.last = performance.now()
    book.deliveries.push({ subscriber: name, at, ...delivery })
    const key = `${name} ${delivery.event?.id}`
    const turn = book.seen.get(key) ?? 0
    book.seen.set(key, turn + 1)
    const steps = book.scripts[name] ?? [{ status: 204 }]
    act(steps[Math.min(turn, steps.length - 1)], delivery, request, response)
  })
}
let rootSet = ''

/** One scripted answer. */
async function act(step, delivery, request, response) {
  if (step.delay_ms) await sleep(step.delay_ms)
  if (step.reset) return request.socket.resetAndDestroy()
  if (step.hang) return
  const fill = (value) => (typeof value === 'string' ? value.replaceAll('{id}', delivery.event?.id ?? '') : value)
  const headers = Object.fromEntries(Object.entries(step.headers ?? {}).map(([k, v]) => [k, latin1(fill(v))]))
  if (headers.location) headers.location = `/${request.url.split('/')[1]}/${headers.location}`
  let body = step.body_length ? 'x'.repeat(step.body_length) : step.body === undefined ? '' : typeof step.body === 'string' ? fill(step.body) : JSON.stringify(step.body)
  if (step.event) {
    const event = Object.fromEntries(Object.entries({ specversion: '1.0', source: '/replier', ...step.event }).map(([k, v]) => [k, fill(v)]))
    const { data, ...attributes } = event
    if (step.mode === 'structured') {
      headers['content-type'] ??= 'application/cloudevents+json'
      body = JSON.stringify(event)
    } else {
      for (const [k, v] of Object.entries(attributes)) if (v !== null) headers[k === 'datacontenttype' ? 'content-type' : `ce-${k}`] = latin1(String(v))
      if (data !== undefined) {
        headers['content-type'] ??= 'application/json'
        body = JSON.stringify(data)
      }
    }
  }
  response.writeHead(step.status ?? 200, headers)
  if (step.cut) return response.write(body, () => request.socket.resetAndDestroy())
  response.end(body)
}

const latin1 = (text) => Buffer.from(text, 'utf8').toString('latin1')
const utf8 = (text) => Buffer.from(text, 'latin1').toString('utf8')

// Headers that say nothing about the Broker's behaviour.
const unobserved = /^(host|connection|keep-alive|content-length|transfer-encoding|accept|accept-.*|user-agent|sec-fetch-.*|tracestate|baggage|referer)$/

/** What a delivery says, without what changes from run to run. */
function describeDelivery(request, body, setId) {
  const headers = {}
  const event = {}
  for (const [name, value] of Object.entries(request.headers)) {
    if (unobserved.test(name)) continue
    const text = utf8(Array.isArray(value) ? value.join(', ') : value)
    if (name.startsWith('ce-')) event[name.slice(3)] = attributeValue(name.slice(3), text, setId)
    else if (name !== 'traceparent') headers[name] = masked(text, setId)
    else if (text.includes(posterTrace)) headers[name] = '<trace of the poster>' // else it depends on the installation whether there is one
  }
  const delivery = { headers: sorted(headers) }
  if (request.method !== 'POST') delivery.method = request.method
  if (/^application\/cloudevents\+json/i.test(headers['content-type'] ?? '')) {
    const { data, ...attributes } = parsed(body) ?? {}
    delivery.mode = 'structured'
    for (const [k, v] of Object.entries(attributes)) event[k] = typeof v === 'string' ? attributeValue(k, v, setId) : v
    if (data !== undefined) delivery.data = data
  } else {
    delivery.mode = Object.keys(event).length > 0 ? 'binary' : 'none'
    delivery.body = describeBody(body)
  }
  return { ...delivery, event: sorted(event) }
}

const parsed = (body) => { try { return JSON.parse(body.toString()) } catch { return undefined } }
const sorted = (object) => Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)))

function describeBody(body) {
  if (body.length > 600) return `${body.length} bytes, sha256 ${createHash('sha256').update(body).digest('hex').slice(0, 16)}`
  const text = body.toString('utf8')
  return Buffer.from(text, 'utf8').equals(body) ? text : `base64(${body.toString('base64')})`
}

/** An attribute with volatile parts replaced; the error data is shown decoded when it is base64. */
function attributeValue(name, text, setId) {
  if (name === 'knativearrivaltime' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text)) return '<time>'
  if (name === 'knativeerrordata' && text && Buffer.from(text, 'base64').toString('base64') === text) {
    const body = describeBody(Buffer.from(text, 'base64'))
    // When there was no answer, the words after the colon are those of the HTTP client.
    return body.startsWith('dispatch error: ') ? 'base64(dispatch error: <words>)' : `base64(${masked(body, setId)})`
  }
  return masked(text, setId)
}

/** Replaces ports, namespaces and the Broker's address, which differ between installations. */
function masked(text, setId) {
  return text
    .replaceAll(`http://127.0.0.1:${ports[0]}/${setId}/`, '{subscribers}/')
    .replaceAll(`127.0.0.1:${ports[0]}`, '{subscribers}')
    .replaceAll(`127.0.0.1:${ports[1]}`, '{root}')
    .replaceAll(`127.0.0.1:${ports[2]}`, '{refused}')
    .replaceAll('http://broker-ingress.knative-eventing.svc.cluster.local/', '{broker}/')
    .replaceAll(`${options.broker}/`, '{broker}/')
    .replaceAll(options.namespace, '{namespace}')
    .replaceAll(setId || '\0', '{set}')
}

// --- requests --------------------------------------------------------------------------------------------------------------
/** Sends a request of the table to the Broker; resolves with what the ingress answered. */
function send(set, one, n = 0) {
  const encoded = `%${set.id.charCodeAt(0).toString(16)}${set.id.slice(1)}`
  const fill = (text) => text.replaceAll('{n}', String(n)).replaceAll('{ns}', options.namespace).replaceAll('{set}', set.id).replaceAll('{SET}', set.id.toUpperCase()).replaceAll('{%set}', encoded)
  const { namespace, name } = place(set, one.broker ?? 'main')
  const { data, ...attributes } = one.event ?? {}
  const headers = {}
  for (const [k, v] of Object.entries(one.event ? { specversion: '1.0', source: '/poster', ...attributes } : {}))
    if (v !== null) headers[k === 'datacontenttype' ? 'content-type' : `ce-${k}`] = latin1(fill(String(v)))
  if (data !== undefined) headers['content-type'] ??= 'application/json'
  for (const [k, v] of Object.entries(one.headers ?? {})) headers[k] = Array.isArray(v) ? v.map((x) => latin1(fill(x))) : latin1(fill(v))
  let body = one.body_base64 ? Buffer.from(one.body_base64, 'base64') : one.body ?? (data === undefined ? '' : typeof data === 'string' ? data : JSON.stringify(data))
  if (typeof body === 'object' && !Buffer.isBuffer(body)) body = JSON.stringify(body)
  if (one.body_length) body = 'x'.repeat(one.body_length)
  if (typeof body === 'string') body = Buffer.from(fill(body))
  const path = one.path ? fill(one.path) : `/${namespace}/${name}`
  return new Promise((done) => {
    const request = http.request(options.broker, { method: one.method ?? 'POST', path, headers, agent: false }, (answer) => {
      const chunks = []
      answer.on('data', (chunk) => chunks.push(chunk)).on('error', () => {}).on('end', () => done(describeAnswer(answer, Buffer.concat(chunks))))
    })
    request.on('error', (error) => done({ error: error.code }))
    request.setTimeout(30_000 * patience, () => request.destroy())
    request.end(one.method === 'GET' || one.method === 'HEAD' || one.method === 'OPTIONS' ? undefined : body)
  })
}

function describeAnswer(answer, body) {
  const described = { status: answer.statusCode }
  const headers = Object.entries(answer.headers).filter(([k]) => /^(allow|webhook-|content-type|retry-after|x-|knative-|ce-|location)/.test(k))
  if (headers.length > 0) described.headers = sorted(Object.fromEntries(headers))
  if (body.length > 0) described.body = describeBody(body)
  return described
}

// --- one case --------------------------------------------------------------------------------------------------------------
/** Sends the requests of a case, waits until nothing more comes, and resolves with the observation. */
async function observe(one) {
  const set = one.on
  const book = bookOf(set.id)
  const late = book.deliveries.length
  Object.assign(book, { deliveries: [], scripts: Object.fromEntries(Object.entries(one.subscribers ?? {}).map(([k, v]) => [k, [v].flat()])), seen: new Map() })
  if (set.triggers.some((t) => t.subscriber === 'root')) rootSet = set.id
  const answers = []
  const post = async (request, i) => {
    const from = performance.now()
    const copies = await Promise.all(Array.from({ length: request.times ?? 1 }, (_, n) => send(set, request, n)))
    answers[i] = copies.every((c) => isDeepStrictEqual(c, copies[0])) ? copies[0] : copies
    if (one.time_answers) answers[i] = { ...answers[i], waited: gaps([from, performance.now()], one.unit_ms)[0] }
  }
  const requests = one.requests ?? []
  if (one.together) await Promise.all(requests.map(post))
  else for (const [i, request] of requests.entries()) await post(request, i)
  const quiet = (one.quiet_ms ?? 400) * patience
  const started = performance.now()
  book.last = started
  const wanted = sum(Object.values(one.expect?.deliveries ?? {}).flat().map((d) => (typeof d.times === 'number' ? d.times : d.times?.$min ?? 1)))
  const missing = 2000 * patience // what is still wanted may come a little later
  const done = () => performance.now() - book.last > quiet + (book.deliveries.length < wanted ? missing : 0)
  while (!done() && performance.now() - started < (one.limit_ms ?? 10_000) * patience) await sleep(20)
  const observation = { answers, deliveries: grouped(one, book.deliveries) }
  book.deliveries = []
  return { observation, late }
}
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0)

/** Deliveries by subscriber; equal ones become one entry with the number of attempts and, in units of `unit_ms`, the gaps. */
function grouped(one, deliveries) {
  const bySubscriber = {}
  for (const { subscriber, at, ...rest } of deliveries) {
    const id = rest.event.id
    if (one.ignore_ids) rest.event = { ...rest.event, id: '<id>' }
    const list = (bySubscriber[subscriber] ??= [])
    const same = list.find((entry) => isDeepStrictEqual(entry.rest, rest)) ?? list[list.push({ rest, at: [], ids: new Set() }) - 1]
    same.at.push(at)
    same.ids.add(id)
  }
  const entries = Object.entries(sorted(bySubscriber)).map(([subscriber, list]) => [
    subscriber,
    list
      .map(({ rest, at, ids }) => ({ times: at.length, ...(one.ignore_ids ? { ids: ids.size } : {}), ...(one.unit_ms && at.length > 1 ? { gaps: gaps(at, one.unit_ms) } : {}), ...rest }))
      .sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1)),
  ])
  return Object.fromEntries(entries)
}
const sortKey = ({ event, headers, method }) => JSON.stringify([event.type, event.id, event.source, method, event, headers])

/** Gaps between attempts, rounded down to whole units: a machine may be late, but an attempt must never be early. */
const gaps = (at, unit) => at.slice(1).map((t, i) => Math.floor((t - at[i] + unit * 0.15) / unit))

// --- comparison ------------------------------------------------------------------------------------------------------------
/** The differences between what is expected and what was observed, one line each. In an expectation `<any>` matches any value,
 *  `~text` a regular expression, {$min, $max} a range and {$oneOf: []} alternatives. */
function differences(expected, actual, path = '') {
  if (expected === '<any>') return actual === undefined ? [`${path}: missing`] : []
  if (typeof expected === 'string' && expected.startsWith('~')) return new RegExp(expected.slice(1), 's').test(String(actual)) ? [] : [`${path}: ${show(actual)} does not match ${expected.slice(1)}`]
  if (expected?.$oneOf) return expected.$oneOf.some((e) => differences(e, actual).length === 0) ? [] : [`${path}: ${show(actual)} is none of ${show(expected.$oneOf)}`]
  if (expected && (expected.$min !== undefined || expected.$max !== undefined))
    return actual >= (expected.$min ?? -Infinity) && actual <= (expected.$max ?? Infinity) ? [] : [`${path}: ${show(actual)} is not within ${show(expected)}`]
  if (typeof expected !== 'object' || expected === null || typeof actual !== 'object' || actual === null)
    return isDeepStrictEqual(expected, actual) ? [] : [`${path}: expected ${show(expected)}, observed ${show(actual)}`]
  const keys = [...new Set([...Object.keys(expected), ...Object.keys(actual)])]
  return keys.flatMap((key) => differences(expected[key], actual[key], path ? `${path}.${key}` : key))
}
const show = (value) => { const text = JSON.stringify(value) ?? 'nothing'; return text.length > 300 ? `${text.slice(0, 300)}...` : text }

// --- YAML ------------------------------------------------------------------------------------------------------------------
/** The Brokers and Triggers of a set, as one would write them for production. */
function objectsOf(set) {
  const brokers = brokersOf(set).map(({ namespace, name, delivery }) => ({
    apiVersion: 'eventing.knative.dev/v1', kind: 'Broker',
    metadata: { name, namespace, annotations: { 'eventing.knative.dev/broker.class': 'MTChannelBasedBroker' } },
    spec: { config: { apiVersion: 'v1', kind: 'ConfigMap', name: 'config-br-default-channel', namespace: 'knative-eventing' }, ...(delivery ? { delivery: deliveryOf(set, delivery) } : {}) },
  }))
  const triggers = set.triggers.map(({ name, broker = 'main', subscriber, delivery, ...filters }) => {
    const home = place(set, broker)
    return {
      apiVersion: 'eventing.knative.dev/v1', kind: 'Trigger',
      metadata: { name: `${set.id}-${name}`, namespace: home.namespace, labels: { 'eventing.knative.dev/broker': home.name } },
      spec: { broker: home.name, ...filters, subscriber: { uri: addressOf(set, subscriber) }, ...(delivery ? { delivery: deliveryOf(set, delivery) } : {}) },
    }
  })
  return [...brokers, ...triggers]
}

const deliveryOf = (set, { deadLetterSink, ...rest }) => ({ ...rest, ...(deadLetterSink ? { deadLetterSink: { uri: addressOf(set, deadLetterSink) } } : {}) })

/** Block YAML; text that could be read as something else is quoted. */
function toYaml(value, indent = '') {
  const inner = `${indent}  `
  if (Array.isArray(value)) return value.length === 0 ? ' []' : value.map((v) => `\n${indent}-${toYaml(v, inner)}`).join('')
  if (value && typeof value === 'object') {
    const entries = Object.entries(value)
    return entries.length === 0 ? ' {}' : entries.map(([k, v]) => `\n${indent}${k}:${toYaml(v, inner)}`).join('')
  }
  const plain = typeof value !== 'string' || (/^[a-zA-Z][\w./-]*$/.test(value) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(value))
  return ` ${plain ? value : JSON.stringify(value)}`
}

function writeYaml(sets, dir) {
  mkdirSync(dir, { recursive: true })
  for (const set of sets) writeFileSync(join(dir, `${set.id}.yaml`), objectsOf(set).map((o) => toYaml(o).trimStart()).join('\n---\n') + '\n')
}

// --- making the Broker serve -----------------------------------------------------------------------------------------------
const run = promisify(execFile)
const kube = async (...args) => (await run(options.kubectl, ['--kubeconfig', options.kubeconfig, ...args], { maxBuffer: 1 << 28 })).stdout
const namespaces = () => [options.namespace, `${options.namespace}-2`]

/** Applies the YAML and waits until every object has been Ready for some seconds without a break: it flaps at first. */
async function applyToCluster(dir, count) {
  const spaces = join(dir, '..', 'namespaces.yaml')
  writeFileSync(spaces, namespaces().map((name) => toYaml({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }).trimStart()).join('\n---\n'))
  await kube('apply', '-f', spaces)
  await kube('apply', '--server-side', '--force-conflicts', '-f', dir)
  let steady = 0
  for (const deadline = Date.now() + 900_000; steady < 5; await sleep(1000)) {
    if (Date.now() > deadline) throw new Error('not every Broker and Trigger turned Ready within 900 s')
    const items = (await Promise.all(namespaces().map(async (ns) => JSON.parse(await kube('get', 'brokers,triggers', '-n', ns, '-o', 'json')).items))).flat()
    const ready = items.filter((i) => i.status?.observedGeneration === i.metadata.generation && i.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'))
    steady = items.length === count && ready.length === count ? steady + 1 : 0
  }
}

/** Posts a probe to every Broker until it is accepted and has come to every subscriber whose Trigger has no filter. */
async function awaitServing(sets) {
  const deadline = Date.now() + 120_000 * patience
  await Promise.all(sets.map(async (set) => {
    if (set.triggers.some((t) => t.subscriber === 'root')) rootSet = set.id
    const unfiltered = set.triggers.filter((t) => !t.filter && !t.filters && t.subscriber !== 'refused').map((t) => t.subscriber)
    for (const { key, name } of brokersOf(set)) {
      // A Broker whose subscriber never answers may say 500.
      const served = async () => [202, 500].includes((await send(set, { broker: key, event: { id: `probe-${Date.now()}`, type: probeType } })).status)
      while (!(await served())) {
        if (Date.now() > deadline) throw new Error(`the Broker ${name} does not accept events at ${options.broker}`)
        await sleep(300)
      }
    }
    while (!unfiltered.every((s) => bookOf(set.id).probed.has(s))) {
      if (Date.now() > deadline) throw new Error(`no probe came to the subscribers of ${set.id}`)
      await sleep(300)
      for (const { key } of brokersOf(set)) await send(set, { broker: key, event: { id: `probe-${Date.now()}`, type: probeType } })
    }
  }))
  await sleep(1000 * patience)
}

/** Runs the setup command with the folder of YAML; returns a function that ends it and a promise that rejects when it fails. */
function startSetup(dir) {
  const child = spawn('sh', ['-c', options.setup.replaceAll('{dir}', dir)], { detached: true, stdio: ['pipe', 'inherit', 'inherit'], env: { ...process.env, BROKER_YAML_DIR: dir } })
  const ended = new Promise((done) => child.once('exit', done))
  let ending = false
  const failure = new Promise((_, failed) => ended.then((code) => code !== 0 && !ending && failed(new Error(`the setup command ended with ${code ?? child.signalCode}`))))
  failure.catch(() => {})
  const end = async () => {
    ending = true
    if (child.exitCode !== null || child.signalCode) return
    process.kill(-child.pid, 'SIGTERM')
    await Promise.race([ended, sleep(3000)])
  }
  return { end, failure }
}

async function choosePorts() {
  const first = options.port ? Number(options.port) : options['yaml-only'] ? 27600 : undefined
  if (first) return [first, first + 1, first + 2]
  const servers = await Promise.all([0, 1, 2].map(() => new Promise((done) => { const s = net.createServer().listen(0, '127.0.0.1', () => done(s)) })))
  const chosen = servers.map((s) => s.address().port)
  await Promise.all(servers.map((s) => new Promise((done) => s.close(done))))
  return chosen
}

/** Serves the subscribers; resolves with a function that stops it. */
async function listen() {
  const servers = ports.slice(0, 2).map(() => http.createServer({ maxHeaderSize: 1 << 20, keepAliveTimeout: 60_000 }, serveSubscriber))
  await Promise.all(servers.map((s, i) => new Promise((done, failed) => s.once('error', failed).listen(ports[i], '127.0.0.1', done))))
  return () => servers.forEach((s) => { s.close(); s.closeAllConnections() })
}

/** The cases that a file names. */
function namesIn(path) {
  const named = JSON.parse(readFileSync(path, 'utf8'))
  return Array.isArray(named) ? named : Object.keys(named)
}

// --- the whole -------------------------------------------------------------------------------------------------------------
async function main() {
  ports = await choosePorts()
  const table = readTable()
  const just = options.just ? new Set(namesIn(options.just)) : undefined
  const skip = new Set(options.skip ? namesIn(options.skip) : [])
  const chosen = table
    .flatMap((f) => f.cases)
    .filter((c) => !options.only || `${c.topic}/${c.id}: ${c.name}`.includes(options.only))
    .filter((c) => (!just || just.has(`${c.topic}/${c.id}`)) && !skip.has(`${c.topic}/${c.id}`))
  if (chosen.length === 0) throw new Error('no case is chosen')
  const sets = [...new Map(chosen.map((c) => [c.on.id, c.on])).values()]
  if (options['yaml-only']) return writeYaml(sets, options['yaml-only'])
  if (!options.broker) throw new Error('--broker is missing')

  const work = mkdtempSync(join(tmpdir(), 'broker-cases-'))
  const dir = join(work, 'yaml')
  writeYaml(sets, dir)
  const stopListening = await listen()
  const setup = options.setup ? startSetup(dir) : undefined
  let failed = 0
  try {
    if (options.kubeconfig) await applyToCluster(dir, sum(sets.map((s) => objectsOf(s).length)))
    await Promise.race([awaitServing(sets), ...(setup ? [setup.failure] : [])])
    for (let n = 1; n <= Number(options.runs); n++) failed += await runTable(chosen, sets, n)
  } finally {
    if (options.kubeconfig && !options.keep) for (const ns of namespaces()) await kube('delete', 'triggers,brokers', '--all', '-n', ns, '--wait=true').then(() => kube('delete', 'namespace', ns, '--wait=false'))
    await setup?.end()
    stopListening()
    rmSync(work, { recursive: true, force: true })
  }
  if (options.record || options.rerecord) save(table)
  process.exitCode = failed > 0 ? 1 : 0
}

/** Runs every case once: sets side by side, the cases of one set after another. Resolves with the number of failures. */
async function runTable(chosen, sets, n) {
  const queue = [...sets].sort((a, b) => casesOn(b).length - casesOn(a).length)
  const failures = []
  function casesOn(set) { return chosen.filter((c) => c.on.id === set.id) }
  const started = performance.now()
  async function worker() {
    for (let set = queue.shift(); set; set = queue.shift()) for (const one of casesOn(set)) report(one, await observe(one))
  }
  function report(one, { observation, late }) {
    if (options.rerecord || (options.record && !one.expect)) one.expect = observation
    const found = [...differences(one.expect ?? {}, observation), ...(late > 0 ? [`${late} deliveries came after the case before this one had ended`] : [])]
    if (found.length > 0) failures.push(one)
    console.log(`${found.length > 0 ? 'FAIL' : 'pass'}  ${one.topic}/${one.id}: ${one.name}${one.incidental ? ' [incidental]' : ''}${found.map((d) => `\n        ${d}`).join('')}`)
  }
  await Promise.all(Array.from({ length: Number(options.jobs) }, worker))
  console.log(`run ${n}: ${chosen.length - failures.length} of ${chosen.length} cases pass, ${((performance.now() - started) / 1000).toFixed(0)} s${failures.map((c) => `\n  failed: ${c.topic}/${c.id}`).join('')}`)
  return failures.length
}

/** Writes the table back with its expectations. */
function save(table) {
  for (const { path, ...file } of table) {
    const cases = file.cases.map(({ on, topic, ...one }) => one)
    writeFileSync(path, `${toJson({ ...file, cases })}\n`)
  }
}

/** JSON with short objects on one line. */
function toJson(value, indent = '') {
  const flat = JSON.stringify(value)
  if (typeof value !== 'object' || value === null || flat.length + indent.length < 130) return flat
  const inner = `${indent}  `
  const items = Array.isArray(value) ? value.map((v) => inner + toJson(v, inner)) : Object.entries(value).map(([k, v]) => `${inner}${JSON.stringify(k)}: ${toJson(v, inner)}`)
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  return `${open}\n${items.join(',\n')}\n${indent}${close}`
}

await main()
