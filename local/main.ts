import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { buildBundle, bundle } from '../scripts/build.ts'
import { environment } from '../shared/config.ts'
import { messageOf } from '../shared/errors.ts'
import { terminals } from '../shared/lifecycles.ts'
import { runId } from '../shared/run.ts'
import type { Seen } from './feed.ts'
import { readOptions, usage } from './options.ts'
import { type RequestFile, readRequest } from './request.ts'
import { announceRuns } from './runs.ts'
import { Show } from './show.ts'
import { startWorld, type World } from './world.ts'

/** The command `npm run local`. */
async function main(): Promise<number> {
  const { once: onlyOnce, help, dir, request: file, ports, delays } = readOptions(process.argv.slice(2))
  if (help) {
    process.stdout.write(usage)
    return 0
  }
  const directory = resolve(dir)
  const request = await readRequest(file)
  const show = new Show(process.stdout)
  const stop = signalled()
  const stopped = once(stop, 'abort').then(() => undefined)
  show.say('Starting the Broker, the Git host, a hub and two clusters, and nine functions ...')
  await buildBundle()
  const world = await startWorld({ directory, bundle, ports, delays, warn: (sentence) => show.say(sentence) })
  const unannounce = announce(world, show)
  try {
    if (stop.aborted) return 130
    writeLocal(directory, world)
    world.feed.listen((seen) => show.draw(seen))
    const ended = await Promise.race([provision(world, request), stopped])
    if (ended === undefined) return 130
    report(world, ended, show)
    if (onlyOnce) return ended.type.endsWith('.completed') ? 0 : 1
    show.say(waysOn(directory, world, ended, request))
    await stopped
    show.say('\nEnding ...')
    return 0
  } finally {
    unannounce()
    await world.close()
  }
}

/** For `func invoke`; where the functions' folders cannot be written, it has to be told by `--target`. */
function announce({ ports }: World, show: Show): () => void {
  try {
    return announceRuns(new URL('../functions', import.meta.url).pathname, ports)
  } catch (error) {
    show.say(`func will not find these functions by itself: ${messageOf(error)}`)
    return () => undefined
  }
}

/** Aborted when the person wants to end. */
function signalled(): AbortSignal {
  const controller = new AbortController()
  // Not `once`: npm passes Ctrl-C on, so it comes twice, and the second one must not end us before we could clean up.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort())
  if (environment()['npm_lifecycle_event'] !== undefined) whenAlone(() => controller.abort())
  return controller.signal
}

/** npm runs us in a shell that keeps SIGTERM for itself: all that we see of its end is that our parent is another. */
function whenAlone(end: () => void): void {
  const parent = process.ppid
  setInterval(() => process.ppid !== parent && end(), 500).unref()
}

/** Where things are, for other programs. */
function writeLocal(directory: string, { broker, git, kubeconfig, feed }: World): void {
  const addresses = { broker, git: git.url, kubeconfig, events: feed.url }
  writeFileSync(join(directory, 'local.json'), `${JSON.stringify(addresses, null, 2)}\n`, { mode: 0o600 })
}

/** Posts the request under a fresh id, and resolves with the event that ended its run, once the requester was told. */
async function provision(world: World, request: RequestFile): Promise<Seen> {
  const event = { ...request, id: randomUUID(), time: new Date().toISOString() }
  const run = runId(event.source, event.id)
  const headers = { 'content-type': 'application/cloudevents+json' }
  const answer = await fetch(world.broker, { method: 'POST', headers, body: JSON.stringify(event) })
  if (!answer.ok) throw new Error(`Cannot post the request: the Broker answered ${answer.status}`)
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
function waysOn(directory: string, world: World, ended: Seen, { source, type, data }: RequestFile): string {
  const { cluster = 'site-a' } = ended.data.facts ?? {}
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
