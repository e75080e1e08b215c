import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { buildBundle, bundle } from '../scripts/build.ts'
import { messageOf } from '../shared/errors.ts'
import { terminals } from '../shared/lifecycles.ts'
import { runId } from '../shared/run.ts'
import type { Seen } from './feed.ts'
import { Show } from './show.ts'
import { startWorld, type World } from './world.ts'

const usage = `npm run local -- [--once] [--dir DIR] [--request FILE] [--delays N] [--broker-port N] [--git-port N] [--events-port N]

Starts all of Drover on this machine, provisions a machine and shows the run; then stays for more, until Ctrl-C.
  --once          ends when the first run has ended: 0 if it completed, 1 if not
  --dir DIR       where data goes (.drover); a second start over it goes on with the same fleet
  --request FILE  the CloudEvent to post (examples/provision.json)
  --delays N      how long simulated work takes: 0 (at once) to 1 (as on a small cluster); 0.3 unless said
  --*-port N      ports to use instead of free ones
`

/** The command `npm run local`. */
async function main(): Promise<number> {
  const { once, help, ...values } = readOptions()
  if (help) {
    process.stdout.write(usage)
    return 0
  }
  const directory = resolve(values.dir)
  const show = new Show(process.stdout)
  const stopped = signalled()
  show.say('Starting the Broker, the Git host, a hub and two clusters, and nine functions ...')
  await buildBundle()
  const world = await startWorld({
    directory,
    bundle,
    ports: {
      broker: toPort(values['broker-port']),
      git: toPort(values['git-port']),
      events: toPort(values['events-port']),
    },
    delays: toDelays(values.delays),
    warn: (sentence) => show.say(sentence),
  })
  try {
    writeLocal(directory, world)
    world.feed.listen((seen) => show.draw(seen))
    const ended = await Promise.race([provision(world, values.request, show), stopped])
    if (ended === undefined) return 130
    report(world, ended, show)
    if (once) return ended.type.endsWith('.completed') ? 0 : 1
    show.say(waysOn(directory, world, ended, values.request))
    await stopped
    show.say('\nEnding ...')
    return 0
  } finally {
    await world.close()
  }
}

function readOptions() {
  return parseArgs({
    options: {
      once: { type: 'boolean', default: false },
      dir: { type: 'string', default: '.drover' },
      request: { type: 'string', default: 'examples/provision.json' },
      delays: { type: 'string', default: '0.3' },
      'broker-port': { type: 'string', default: '0' },
      'git-port': { type: 'string', default: '0' },
      'events-port': { type: 'string', default: '0' },
      help: { type: 'boolean', default: false },
    },
  }).values
}

function toPort(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`Cannot use port "${text}": wanted a number from 0 to 65535`)
  return port
}

function toDelays(text: string): number {
  const scale = Number(text)
  if (!(scale >= 0 && scale <= 1)) throw new Error(`Cannot use --delays "${text}": wanted a number from 0 to 1`)
  return scale
}

/** Resolves when the person wants to end. */
const signalled = () =>
  new Promise<undefined>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => done(undefined))
  })

/** Where things are, for other programs. */
function writeLocal(directory: string, { broker, git, kubeconfig, feed }: World): void {
  const addresses = { broker, git: git.url, kubeconfig, events: feed.url }
  writeFileSync(join(directory, 'local.json'), `${JSON.stringify(addresses, null, 2)}\n`, { mode: 0o600 })
}

/** Posts the request under a fresh id, and resolves with the event that ended its run, once the requester was told. */
async function provision(world: World, file: string, show: Show): Promise<Seen> {
  const event = { ...JSON.parse(readFileSync(file, 'utf8')), id: randomUUID(), time: new Date().toISOString() }
  const run = runId(event.source, event.id)
  show.begin(run, performance.now())
  const headers = { 'content-type': 'application/cloudevents+json' }
  const answer = await fetch(world.broker, { method: 'POST', headers, body: JSON.stringify(event) })
  if (!answer.ok) throw new Error(`Cannot post ${file}: the Broker answered ${answer.status}`)
  const isOf = (seen: Seen, ...facts: string[]) =>
    seen.run === run && facts.some((fact) => seen.type.endsWith(`.${fact}`))
  const ended = await world.feed.first((seen) => isOf(seen, ...terminals))
  await world.feed.first((seen) => isOf(seen, 'notified', 'notify.failed'))
  return ended
}

/** What the run left: its commit, the machine's state and its address. */
function report(world: World, ended: Seen, show: Show): void {
  const { facts, vmName, message } = ended.data
  if (!ended.type.endsWith('.completed')) {
    show.say(`\nThe run ended ${ended.type.split('.').at(-1)}: ${message}`)
    return
  }
  const log = ['--git-dir', world.git.path, 'log', '-1', '--stat=100', facts?.revision ?? 'main']
  show.say(`\n${execFileSync('git', log, { encoding: 'utf8' })}`)
  const { observed, cluster, dns } = facts ?? {}
  show.say(
    `VM ${vmName} is ${observed?.status} on ${cluster} (${observed?.node}), addresses ${observed?.addresses.join(', ')}, name ${dns?.[0]?.dnsName ?? '-'}`,
  )
}

/** Three ways to go on, to be pasted. */
function waysOn(directory: string, world: World, ended: Seen, file: string): string {
  const { cluster = 'site-a' } = ended.data.facts ?? {}
  const { source, type, data } = JSON.parse(readFileSync(file, 'utf8'))
  const event = JSON.stringify({ specversion: '1.0', id: 'ID', source, type, data })
    .replaceAll("'", "'\\''")
    .replace('"ID"', `"'$(date +%s%N)'"`)
  return `
Go on, in another terminal:

  curl -i ${world.broker} -H 'content-type: application/cloudevents+json' -d '${event}'

  git clone ${world.git.url}

  kubectl --kubeconfig ${join(directory, 'kubeconfig')} --context ${cluster} get vm -A

Every event: ${world.feed.url} (server-sent events). Addresses: ${join(directory, 'local.json')}. Ctrl-C ends it.`
}

main().then(
  (code) => process.exit(code),
  (error) => {
    process.stderr.write(`${messageOf(error)}\n`)
    process.exit(1)
  },
)
