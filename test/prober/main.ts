import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../shared/errors.ts'
import { type Strikes, strikeAll, strikeCheck } from './chaos.ts'
import { fleetIn, namespaceProblems } from './fleet-state.ts'
import { unfollowed } from './followed.ts'
import { type History, openHistory } from './history.ts'
import { type Listener, listenTo } from './listener.ts'
import { lives } from './lives.ts'
import { startLocal } from './local-platform.ts'
import { type Options, readOptions, usage } from './options.ts'
import type { Platform } from './platform.ts'
import { live, quiet, startTicks, type Went } from './probe.ts'
import { randomOf } from './random.ts'
import { tell } from './story.ts'
import { damageOf, firstPaths, readTree } from './tree.ts'
import { type Check, fleetChecks, runChecks } from './verdict.ts'

/**
 * The command `npm run prober`: requests of all lifecycles while every part is killed and comes back, and then the
 * questions that must have one answer. After Knative's own prober of upgrades, which counts what it has sent.
 */

/** How many old disks of an image are kept, as its requests say. */
const keptImages = 1

/** What is soon, where parts are away for seconds: runs are taken for lost, and errors for such that last. */
const settings = {
  DROVER_QUIET_MINUTES: '0.15',
  DROVER_PATIENCE_SECONDS: '40',
  DROVER_GRACE_SECONDS: '25',
}

/** Real controllers try again ever more seldom: what was away for twenty seconds they may come back to only after forty. */
const patient = { DROVER_PATIENCE_SECONDS: '55', DROVER_GRACE_SECONDS: '45' }

/** A run whose events are lost time and again ends when its time is up, after half an hour, and what it did is undone then. */
const longestRun = 40 * 60_000

const say = (words: string) => void process.stdout.write(`${words}\n`)

async function main(options: Options): Promise<boolean> {
  const directory = mkdtempSync(join(tmpdir(), 'drover-prober-'))
  say(`${options.requests} requests, --seed ${options.seed}, in ${directory}`)
  const platform = await start(options, directory)
  const listener = listenTo(platform.journal)
  const history = openHistory(platform.repository)
  let isWell = false
  try {
    const begun = performance.now()
    const { went, strikes } = await probe(options, platform, listener, history)
    say(`\n${summary(went, strikes, history, (performance.now() - begun) / 1_000)}\n`)
    const checks = await judge(options, platform, { went, strikes, listener, history })
    isWell = report(checks, { listener, history, logs: platform.logs, folder: join(directory, 'stories') })
    return isWell
  } finally {
    listener.close()
    await platform.close()
    if (isWell && !options.keep) rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
    else say(`Everything is still in ${directory}`)
  }
}

async function start({ platform }: Options, directory: string): Promise<Platform> {
  if (platform === 'local') return startLocal(directory, settings)
  // Only a run on the real thing loads what it needs.
  return (await import('./real-platform.ts')).startReal(directory, { ...settings, ...patient })
}

async function probe(options: Options, platform: Platform, listener: Listener, history: History) {
  const { seed, requests, atOnce, every } = options
  const ending = new AbortController()
  const stopTicks = startTicks(platform.broker, 2_000)
  const killing =
    every === 0
      ? Promise.resolve(undefined)
      : strikeAll(platform.targets, randomOf(seed, 'kills'), every, ending.signal)
  // It is said where it is waited for.
  killing.catch(() => undefined)
  let count = 0
  const progress = setInterval(() => process.stderr.write(`${count} of ${requests} have ended\n`), 15_000)
  try {
    const went = await live(lives(seed, requests, platform.kind === 'local'), {
      ...{ platform, listener, history, atOnce },
      silence: 20_000,
      patience: longestRun,
      onEnd: () => {
        count += 1
      },
    })
    ending.abort()
    const strikes = await killing
    await quiet(listener, 5_000)
    return { went, strikes }
  } finally {
    ending.abort()
    await killing.catch(() => undefined)
    clearInterval(progress)
    stopTicks()
  }
}

function summary(went: readonly Went[], strikes: Strikes | undefined, history: History, seconds: number): string {
  const all = went.flatMap(({ ended }) => ended)
  const count = (kind: string) => all.filter(({ terminal }) => terminal === kind).length
  const kills = [...(strikes?.kills ?? [])]
  const times = all.map(({ milliseconds }) => milliseconds / 1_000).sort((one, other) => one - other)
  const at = (part: number) => (times[Math.floor((times.length - 1) * part)] ?? 0).toFixed(1)
  return [
    `${all.length} requests in ${Math.round(seconds)} s: ${count('completed')} completed, ${count('rolledback')} rolled back, ${count('stranded')} stranded, ${count('missing')} missing`,
    `Half of them within ${at(0.5)} s, 99 of 100 within ${at(0.99)} s, all within ${at(1)} s`,
    `${kills.reduce((sum, [, number]) => sum + number, 0)} kills: ${kills.map(([name, number]) => `${name} ${number}`).join(', ')}`,
    `${history.all().filter(({ step }) => step === 'resume').length} times a run whose events were lost was made to go on`,
    `${all.reduce((sum, one) => sum + one.reposts, 0)} times a request was posted again that was lost before it left a trace`,
    `${all.filter(({ isHeard }) => !isHeard).length} runs have ended of which only Git tells`,
  ].join('\n')
}

interface Judged {
  went: readonly Went[]
  /** Undefined where nobody was to be killed. */
  strikes: Strikes | undefined
  listener: Listener
  history: History
}

async function judge({ requests }: Options, platform: Platform, judged: Judged): Promise<Check[]> {
  const { repository, watched } = platform
  await judged.history.refresh()
  const files = await readTree(repository)
  const state = fleetIn(files, await firstPaths(repository))
  const all = { ...state, problems: [...state.problems, ...namespaceProblems(state, files)] }
  const crashed = watched.filter(({ crashes }) => crashes() > 0)
  return [
    ...runChecks({ wanted: requests, ...judged }),
    ...fleetChecks(judged, all, await damageOf(repository), keptImages),
    {
      title: 'the clusters are what Git says',
      problems: (await followedIn(platform, files)).map((says) => ({ says, runs: [] })),
    },
    {
      title: 'no process ended by itself',
      problems: crashed.map(({ name, crashes }) => ({ says: `${name} did, ${crashes()} times`, runs: [] })),
    },
    ...(judged.strikes ? [strikeCheck(judged.strikes)] : []),
  ]
}

/** Controllers have their time: what differs must go on to. */
async function followedIn(platform: Platform, files: ReadonlyMap<string, string>): Promise<string[]> {
  for (const deadline = Date.now() + 120_000; ; await sleep(2_000)) {
    const clusters = await Promise.all(
      ['hub', ...platform.sites].map(async (name) => [name, await platform.objects(name)] as const),
    )
    const differing = unfollowed(files, new Map(clusters))
    if (differing.length === 0 || Date.now() > deadline) return differing
  }
}

const shown = 10

function report(checks: readonly Check[], sources: Parameters<typeof tell>[1]): boolean {
  for (const { title, problems } of checks) {
    say(`${problems.length === 0 ? '✔' : '✘'} ${title}`)
    for (const { says, runs } of problems.slice(0, shown)) {
      say(`    ${says}`)
      if (runs.length > 0) say(`      its story: ${tell(runs, sources)}`)
    }
    if (problems.length > shown) say(`    ... and ${problems.length - shown} more`)
  }
  const failed = checks.filter(({ problems }) => problems.length > 0).length
  say(`\n${checks.length - failed} passed, ${failed} failed`)
  return failed === 0
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options) process.exitCode = (await main(options)) ? 0 : 1
  else process.stdout.write(usage)
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 1
}
