import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask } from '../../../local/ask.ts'
import type { Kubeconfig } from '../../../local/clusters/kubeconfig.ts'
import { choosePorts, type Ports, startProcesses } from '../../../local/functions.ts'
import { readRequest } from '../../../local/request.ts'
import { startWorld, type World } from '../../../local/world.ts'
import { buildBundle } from '../../../scripts/build.ts'
import { type FunctionName, type LifecycleName, lifecycles, makesImage } from '../../../shared/lifecycles.ts'
import { life } from '../../chain/life.ts'
import { type Mirror, mirror } from '../mirror.ts'

/**
 * Every secret that Drover is given is one of a kind here, and the servers that it shows them to say them back in errors.
 * After a whole life, nothing that anybody else can read has one of them in it.
 */

const execute = promisify(execFile)
const directory = mkdtempSync(join(tmpdir(), 'drover-canaries-'))
const bundle = join(directory, 'drover.cjs')
const canary = (what: string) => `canary.${what}.${randomBytes(12).toString('hex')}`
const secrets = {
  git: canary('git'),
  signing: canary('signing'),
  cmdb: canary('cmdb'),
  header: canary('header'),
  broker: canary('broker'),
  stored: canary('stored'),
  collector: canary('collector'),
}
const file = (name: string, text: string) => {
  const path = join(directory, name)
  writeFileSync(path, text, { mode: 0o600 })
  return path
}

let world: World
let hub: Mirror
let site: Mirror
let git: Mirror
let cmdb: Mirror
let callback: Mirror
let brokerDoor: Mirror
let collector: Mirror
const doors: Mirror[] = []
const tokens: string[] = []
const arguments_ = new Set<string>()
const looked = new Map<string, number>()
let watching: NodeJS.Timeout

beforeAll(async () => {
  await buildBundle(bundle)
  file('secrets.json', JSON.stringify({ gitToken: secrets.git, signingKey: `k1:${secrets.signing}` }))
  cmdb = await mirror(undefined)
  callback = await mirror(undefined)
  collector = await mirror(undefined)
  world = await startWorld({
    directory,
    delays: 0,
    start: (ports, environmentOf) => startBehindMirrors(ports, environmentOf),
  })
  watching = setInterval(look, 40)
}, 90_000)
afterAll(async () => {
  clearInterval(watching)
  await world.close()
  for (const one of [hub, site, git, cmdb, callback, brokerDoor, collector, ...doors]) one.close()
  rmSync(directory, { recursive: true, force: true })
})

/** The functions as processes: a mirror before each of them, and before every server that they speak to. */
async function startBehindMirrors(ports: Ports, environmentOf: (name: FunctionName) => Record<string, string>) {
  const given = environmentOf('commit')
  const kubeconfig = JSON.parse(readFileSync(given['KUBECONFIG'] ?? '', 'utf8')) as Kubeconfig
  tokens.push(...kubeconfig.users.map(({ user }) => user.token))
  const servers = await Promise.all(
    kubeconfig.clusters.map(async ({ name, cluster }) => ({ name, mirror: await mirror(cluster.server) })),
  )
  hub = servers.find(({ name }) => name === 'hub')!.mirror
  site = servers.find(({ name }) => name === 'site-a')!.mirror
  doors.push(...servers.map((one) => one.mirror))
  const clusters = servers.map(({ name, mirror: { url } }) => ({
    name,
    cluster: { server: url, 'insecure-skip-tls-verify': true },
  }))
  git = await mirror(new URL(given['DROVER_GIT_URL'] ?? '').origin)
  brokerDoor = await mirror(new URL(given['DROVER_BROKER_URL'] ?? '').origin)
  const settings = {
    KUBECONFIG: file('kubeconfig-of-functions', JSON.stringify({ ...kubeconfig, clusters })),
    DROVER_GIT_URL: `${git.url}${new URL(given['DROVER_GIT_URL'] ?? '').pathname}`,
    DROVER_BROKER_URL: `${brokerDoor.url}${new URL(given['DROVER_BROKER_URL'] ?? '').pathname}`,
    DROVER_BROKER_TOKEN_FILE: file('broker-token', secrets.broker),
    DROVER_CMDB_CONFIG: file('cmdb.yaml', cmdbConfig(cmdb.url)),
    DROVER_CMDB_TOKEN_FILE: file('cmdb-token', secrets.cmdb),
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=${secrets.collector}`,
    DROVER_LOG_LEVEL: 'trace',
    DROVER_GRACE_SECONDS: '2',
  }
  const own = await choosePorts()
  for (const [name, port] of Object.entries(ports))
    doors.push(await mirror(`http://127.0.0.1:${own[name as FunctionName]}`, port))
  return startProcesses(bundle, own, join(directory, 'logs'), (name) => ({ ...environmentOf(name), ...settings }))
}

const cmdbConfig = (url: string) => `url: ${url}
headers: { x-api-key: ${secrets.header} }
lookup: { method: GET, path: "/\${key}" }
create: { method: PUT, path: "/\${key}", body: { state: "\${state}" } }
update: { method: PUT, path: "/\${key}", body: { state: "\${state}" } }
`

/** What may be seen of other processes on the machine; and a canary in each Secret that a cluster makes. */
function look(): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    // A process has the words of its parent first; what it has after some looks, it keeps.
    const looks = (looked.get(pid) ?? 0) + 1
    looked.set(pid, looks)
    if (looks > 3) continue
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      if (/canary\.|git/.test(words)) arguments_.add(words)
    } catch {
      // It has ended.
    }
  }
  for (const name of world.clusters.names) {
    const store = world.clusters.store(name)
    for (const secret of store.list('Secret')) {
      const data = Object.entries((secret['data'] ?? {}) as Record<string, string>)
      const plain = data.map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')] as const)
      if (!plain.some(([, value]) => value.includes('simulated'))) continue
      const planted = plain.map(([key, value]) => [key, value.replaceAll('simulated', secrets.stored)] as const)
      const encoded = planted.map(([key, value]) => [key, Buffer.from(value).toString('base64')])
      store.update({ ...secret, data: Object.fromEntries(encoded) })
    }
  }
}

/** The request of an example, with a callback. */
async function request(name: LifecycleName, change: object = {}) {
  const { data, ...rest } = await readRequest(new URL(`../../../examples/${name}.json`, import.meta.url).pathname)
  return { ...rest, data: { ...(data as object), callback: { url: `${callback.url}/told` }, ...change } }
}

/** Those that have something to register. */
const registering: readonly LifecycleName[] = ['provision', 'clone', 'deprovision']
let machine = ''

/** Each server refuses something once, and says back what it was told. */
function refuseOnce(name: LifecycleName): void {
  git.refuse(403, 1, /^GET .*upload-pack/)
  git.refuse(500, 1, /^POST .*receive-pack/)
  hub.refuse(403, 1)
  site.refuse(500, 1)
  if (registering.includes(name)) cmdb.refuse(500, 1)
  callback.refuse(500, 1)
  brokerDoor.refuse(500, 1)
  collector.refuse(401, 1)
}

async function ended(name: LifecycleName, change: object = {}) {
  const { type, data } = await ask(world, await request(name, change))
  return { type, data }
}

/** Makes a machine that nothing was done to yet. */
async function another(application: string): Promise<string> {
  const { type, data } = await ended('provision', { application })
  expect([type, data.message]).toEqual(['dev.drover.provision.completed', expect.anything()])
  return data.vmName ?? ''
}

describe('a whole life among servers that say back what they are told', () => {
  it.each(life)('completes its %s', { timeout: 120_000 }, async (name) => {
    refuseOnce(name)
    const isOfMachine = !makesImage(name) && name !== 'provision'
    const { type, data } = await ended(name, isOfMachine ? { name: machine } : {})
    if (name === 'provision') machine = data.vmName ?? ''
    expect([type, data.message]).toEqual([`dev.drover.${name}.completed`, expect.anything()])
  })

  it('undoes a provision that the CMDB refuses for good', { timeout: 120_000 }, async () => {
    cmdb.refuse(422, 1, /^PUT/)
    expect((await ended('provision', { application: 'refused' })).type).toBe('dev.drover.provision.rolledback')
  })

  it.each(['golden-image', 'patch'] as const)('undoes a %s whose Job fails', { timeout: 120_000 }, async (name) => {
    const change = makesImage(name) ? {} : { name: await another('undone') }
    const mend = world.clusters.faults.add({ fault: 'job-fails', kind: 'Job' })
    refuseOnce(name)
    const { type, data } = await ended(name, change)
    mend()
    expect([type, data.message]).toEqual([`dev.drover.${name}.rolledback`, expect.anything()])
  })

  it('strands a deprovision that the CMDB refuses for good', { timeout: 120_000 }, async () => {
    const name = await another('stranded')
    cmdb.refuse(422, 1, /^PUT/)
    const { type, data } = await ended('deprovision', { name })
    expect([type, data.message]).toEqual([
      'dev.drover.deprovision.stranded',
      expect.stringContaining('the CMDB refused it with 422'),
    ])
  })

  it('has shown its secrets to those that they are for, or it would have proved nothing', async () => {
    const heard = (one: Mirror) => one.heard.join('\n')
    expect(heard(git)).toContain(Buffer.from(`x-access-token:${secrets.git}`).toString('base64'))
    expect(heard(cmdb)).toContain(`Bearer ${secrets.cmdb}`)
    expect(heard(cmdb)).toContain(secrets.header)
    expect(heard(brokerDoor)).toContain(`Bearer ${secrets.broker}`)
    expect(heard(collector)).toContain(secrets.collector)
    expect(tokens.some((token) => heard(hub).includes(token))).toBe(true)
    for (const one of [git, hub, site, cmdb, callback, brokerDoor, collector]) expect(one.refused()).toBeGreaterThan(0)
    expect(world.feed.seen.length).toBeGreaterThan(100)
  })

  it('has had runs of every lifecycle, and of every end', () => {
    const types = world.feed.seen.map(({ type }) => type)
    for (const { name } of lifecycles) expect(types).toContain(`dev.drover.${name}.completed`)
    for (const end of ['rolledback', 'stranded', 'failed'])
      expect(
        types.some((type) => type.endsWith(`.${end}`)),
        end,
      ).toBe(true)
  })
})

describe('no secret is', () => {
  /** Each secret in the forms that it may come back in. */
  const wanted = () =>
    [...Object.values(secrets), ...tokens].flatMap((secret) => [
      secret,
      Buffer.from(secret).toString('base64').replace(/=+$/, ''),
      Buffer.from(`x-access-token:${secret}`).toString('base64').replace(/=+$/, ''),
      encodeURIComponent(secret),
    ])
  const leaks = (texts: Iterable<string>) => {
    const found = new Set<string>()
    for (const text of texts)
      for (const secret of wanted()) {
        const at = text.indexOf(secret)
        if (at >= 0) found.add(text.slice(Math.max(0, at - 200), at + secret.length + 20))
      }
    return [...found].slice(0, 3)
  }
  const logs = () =>
    readdirSync(join(directory, 'logs')).map((name) => readFileSync(join(directory, 'logs', name), 'utf8'))

  it('in a log, at the level that says most', () => {
    expect(logs().join('').length).toBeGreaterThan(10_000)
    expect(leaks(logs().flatMap((text) => text.split('\n')))).toEqual([])
  })

  it('in an event that the Broker had', () => {
    expect(leaks(world.feed.seen.map(({ json }) => json))).toEqual([])
  })

  it('in an answer of a function, its errors and its metrics among them', async () => {
    const metrics = await Promise.all(
      Object.values(world.ports).map(async (port) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()),
    )
    expect(metrics.join('')).toContain('faas_invocations')
    const functions = doors.slice(-Object.keys(world.ports).length)
    expect(functions.flatMap(({ answers }) => answers).length).toBeGreaterThan(100)
    expect(leaks([...metrics, ...functions.flatMap(({ answers }) => answers)])).toEqual([])
  })

  it('in a commit or a file of the fleet repository', async () => {
    const { stdout } = await execute(
      'git',
      [`--git-dir=${world.git.path}`, 'log', '--all', '-p', '-m', '--root', '--format=fuller'],
      { maxBuffer: 1 << 28 },
    )
    expect(stdout.length).toBeGreaterThan(50_000)
    for (const state of ['running', 'undoing', 'stranded']) expect(stdout).toContain(`+state: "${state}"`)
    expect(leaks(stdout.split('\n'))).toEqual([])
  })

  it('in an object of a cluster that is no Secret', () => {
    const kinds = ['Application', 'ConfigMap', 'Job', 'DataVolume', 'VirtualMachine', 'ExternalSecret', 'Event']
    const objects = world.clusters.names.flatMap((name) =>
      kinds.flatMap((kind) =>
        world.clusters
          .store(name)
          .list(kind)
          .map((one) => JSON.stringify(one)),
      ),
    )
    expect(objects.length).toBeGreaterThan(0)
    expect(leaks(objects)).toEqual([])
  })

  it('told to who is called back', () => {
    expect(callback.told.join('\n')).toContain('dev.drover.')
    expect(leaks([...callback.heard, ...callback.told])).toEqual([])
  })

  it('in a span or a number that is exported', () => {
    const exported = collector.told.join('\n')
    for (const what of ['drover_calls_total', 'git push', 'kubernetes list', 'cmdb PUT', 'provision create.commit'])
      expect(exported).toContain(what)
    expect(exported).toMatch(/"status":\{"code":2,"message":"[^"]/)
    expect(leaks(collector.told)).toEqual([])
  })

  it('an argument of a process', () => {
    expect([...arguments_].some((words) => words.includes('remote-http'))).toBe(true)
    expect(leaks(arguments_)).toEqual([])
  })
})
