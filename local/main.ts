import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { buildBundle, bundle } from '../scripts/build.ts'
import { environment } from '../shared/config.ts'
import { messageOf } from '../shared/errors.ts'
import { functionNames } from '../shared/lifecycles.ts'
import { isComplete } from './ask.ts'
import { closing, nextOf, waysOn } from './closing.ts'
import { live, readLife } from './life.ts'
import { readOptions, usage } from './options.ts'
import { readRequest } from './request.ts'
import { announceRuns } from './runs.ts'
import { Show } from './show.ts'
import { startWorld, type World } from './world.ts'

/** The command `npm run local`. */
async function main(): Promise<number> {
  const { once: onlyOnce, help, dir, request: file, ports, delays, kubevirt } = readOptions(process.argv.slice(2))
  if (help) {
    process.stdout.write(usage)
    return 0
  }
  const directory = resolve(dir)
  const { life, end } = await readLife()
  const requests = file !== undefined ? [await readRequest(file)] : onlyOnce ? [...life, end] : life
  const show = new Show(process.stdout)
  const stop = signalled()
  const stopped = once(stop, 'abort').then(() => undefined)
  show.say(`Starting the Broker, the Git host, a hub and two clusters, and ${functionNames.length} functions ...`)
  await buildBundle()
  const world = await startWorld({ directory, bundle, ports, delays, kubevirt, warn: (sentence) => show.say(sentence) })
  const unannounce = announce(world, show)
  try {
    if (stop.aborted) return 130
    writeLocal(directory, world)
    world.feed.listen((seen) => show.draw(seen))
    const lived = await Promise.race([live(world, requests), stopped])
    const ended = lived?.at(-1)?.ended
    if (!lived || !ended) return 130
    show.say(closing(world, lived))
    if (onlyOnce) return isComplete(ended) ? 0 : 1
    show.say(waysOn(directory, world, lived, nextOf(lived, requests, end)))
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
function writeLocal(directory: string, { broker, git, kubeconfig, feed, ports }: World): void {
  const metrics = Object.fromEntries(
    Object.entries(ports).map(([name, port]) => [name, `http://127.0.0.1:${port}/metrics`]),
  )
  const addresses = { broker, git: git.url, kubeconfig, events: feed.url, metrics }
  writeFileSync(join(directory, 'local.json'), `${JSON.stringify(addresses, null, 2)}\n`, { mode: 0o600 })
}

main().then(
  (code) => process.exit(code),
  (error) => {
    process.stderr.write(`${messageOf(error)}\n`)
    process.exit(1)
  },
)
