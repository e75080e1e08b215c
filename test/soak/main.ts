import { randomInt } from 'node:crypto'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { shown } from '../../bench/chart.ts'
import { table } from '../../scripts/docs/table.ts'
import { messageOf } from '../../shared/errors.ts'
import { openHistory } from '../prober/history.ts'
import { listenTo } from '../prober/listener.ts'
import { startLocal } from '../prober/local-platform.ts'
import { live, startTicks } from '../prober/probe.ts'
import { lines } from './chart.ts'
import { endless } from './endless.ts'
import { silentAmong, type Trend, trendsOf } from './flat.ts'
import { type Measure, measuredOf, measures, type Sample, sampleAll } from './samples.ts'
import { workProblems } from './work.ts'

/** The command `npm run soak`: a mixed load for half an hour, and whether memory and open files stay as they are. */

const usage = `npm run soak -- [--minutes N] [--at-once N] [--seed WORD] [--out DIR]

Asks for all lifecycles for a while, looks at memory, open files and clones every ten seconds, and draws them.
  --minutes N  how long (30)
  --at-once N  how many machines and images go through their lives at once (8)
  --seed WORD  makes up the same requests again
  --out DIR    where the charts and the samples go; a temporary folder when left out
`

const every = 10_000
/** Seconds. */
const longEnough = 15 * 60
const say = (words: string) => void process.stdout.write(`${words}\n`)

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    'at-once': { type: 'string', default: '8' },
    seed: { type: 'string', default: String(randomInt(1 << 30)) },
    out: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

async function main(): Promise<boolean> {
  const minutes = positive('--minutes', values.minutes)
  const atOnce = positive('--at-once', values['at-once'])
  const seconds = minutes * 60
  const directory = mkdtempSync(join(tmpdir(), 'drover-soak-'))
  const out = resolve(values.out ?? join(directory, 'charts'))
  mkdirSync(out, { recursive: true })
  say(`${values.minutes} minutes, --seed ${values.seed}, charts in ${out}`)
  const platform = await startLocal(directory, { DROVER_PATIENCE_SECONDS: '40', DROVER_GRACE_SECONDS: '25' })
  const listener = listenTo(platform.journal)
  const stopTicks = startTicks(platform.broker, 10_000)
  const begun = performance.now()
  const elapsed = () => (performance.now() - begun) / 1_000
  const samples: Sample[] = []
  const watching = watch(
    async () => void samples.push(...(await sampleAll(platform, elapsed()))),
    () => elapsed() < seconds,
  )
  let count = 0
  try {
    const goesOn = () => elapsed() < seconds
    const went = await live(endless(values.seed, goesOn), {
      ...{ platform, listener, history: openHistory(platform.repository) },
      ...{ atOnce, silence: 20_000, patience: 300_000 },
      onEnd: () => {
        count += 1
      },
    })
    await watching
    draw(out, samples)
    const trends = trendsOf(samples, seconds)
    const crashes = platform.watched.filter((one) => one.crashes() > 0)
    say(`\n${count} requests in ${Math.round(elapsed())} s\n`)
    if (seconds < longEnough)
      say('So short a run ends while connections and caches still come to their size: a rise says little.\n')
    return verdict(trends, [
      ...silentAmong(trends, samples, measuredOf(platform)).map((what) => `${what} was not measured all the time`),
      ...workProblems(went, minutes, atOnce),
      ...crashes.map(({ name }) => `${name} has ended by itself`),
    ])
  } finally {
    stopTicks()
    listener.close()
    await platform.close()
  }
}

async function watch(look: () => Promise<void>, goesOn: () => boolean): Promise<void> {
  while (goesOn()) {
    await look()
    await sleep(every)
  }
}

function draw(out: string, samples: readonly Sample[]): void {
  for (const measure of Object.keys(measures) as Measure[])
    writeFileSync(join(out, `${measure}.svg`), lines(measure, samples))
  writeFileSync(join(out, 'samples.json'), JSON.stringify(samples))
}

function verdict(trends: readonly Trend[], problems: readonly string[]): boolean {
  const rows = trends.map(({ measure, of, before, after, most, isFlat }) => {
    const { unit } = measures[measure]
    return [
      isFlat ? '✔' : '✘',
      measure,
      of,
      `${shown(before)} ${unit}`,
      `${shown(after)} ${unit}`,
      `${shown(most)} ${unit}`,
    ]
  })
  say(table(['', 'measure', 'of', 'second quarter', 'last quarter', 'may grow by'], rows))
  for (const problem of problems) say(`✘ ${problem}`)
  const flat = trends.filter(({ isFlat }) => isFlat).length
  const failed = trends.length - flat + problems.length
  say(`\n${flat} passed, ${failed} failed`)
  return failed === 0
}

function positive(name: string, text: string): number {
  const number = Number(text)
  if (number > 0) return number
  throw new Error(`Cannot start: ${name} is "${text}", wanted a number above 0`)
}

try {
  if (values.help) process.stdout.write(usage)
  else process.exitCode = (await main()) ? 0 : 1
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 1
}
