import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { table } from '../scripts/docs/table.ts'
import { environment } from '../shared/config.ts'
import { messageOf } from '../shared/errors.ts'
import { whyNoControlPlane } from '../test/cluster/control-plane.ts'
import type { Benchmark } from './benchmark.ts'
import { chainReal } from './benchmarks/chain-real.ts'
import { coldCommit } from './benchmarks/cold-commit.ts'
import { fleetGrowth } from './benchmarks/fleet-growth.ts'
import { provision } from './benchmarks/provision.ts'
import { readFleet } from './benchmarks/read-fleet.ts'
import { runningReal } from './benchmarks/running-real.ts'
import { runsAtOnce } from './benchmarks/runs-at-once.ts'
import { start } from './benchmarks/start.ts'
import { thousandCommits } from './benchmarks/thousand-commits.ts'
import { thousandProvisions } from './benchmarks/thousand-provisions.ts'
import { warmStep } from './benchmarks/warm-step.ts'
import { chart, shown } from './chart.ts'
import { openFleets } from './fleet/fleets.ts'
import { thisMachine } from './machine.ts'
import { openReality } from './reality.ts'
import { type Result, type Row, toRow } from './result.ts'

/** `npm run bench`: all benchmarks, or those that are named; `--quick` those that take a few seconds, with few samples, and keeps no result. */

const all: readonly Benchmark[] = [
  warmStep,
  start,
  coldCommit,
  thousandCommits,
  runsAtOnce,
  fleetGrowth,
  provision,
  chainReal,
  runningReal,
  thousandProvisions,
  readFleet,
]

const root = new URL('..', import.meta.url).pathname
const results = join(root, 'bench/results')
const say = (sentence: string) => void process.stderr.write(`${sentence}\n`)

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const { quick } = values
const reality = openReality(say)

const rows: string[][] = []
const printRows = () =>
  process.stdout.write(`${table(['benchmark', 'what', 'Drover', 'reference', 'ratio', 'limit', ''], rows)}\n`)

async function main(): Promise<void> {
  const noReality = whyNoControlPlane(environment())
  for (const benchmark of chosen()) {
    if (benchmark.real && noReality) {
      say(`${benchmark.name} is left out: ${noReality}`)
      continue
    }
    say(benchmark.title)
    const result = await measured(benchmark)
    // Few samples of small fleets: nothing to compare with later.
    if (!quick) await keep(result)
    rows.push(...result.rows.map((row) => [benchmark.name, ...cells(row)]))
  }
  printRows()
}

function chosen(): readonly Benchmark[] {
  const unknown = positionals.filter((name) => !all.some((one) => one.name === name))
  if (unknown.length > 0) {
    const names = all.map(({ name }) => name).join(', ')
    throw new Error(`Cannot measure ${unknown.join(', ')}: wanted some of ${names}`)
  }
  if (positionals.length > 0) return all.filter(({ name }) => positionals.includes(name))
  return quick ? all.filter((one) => one.quick) : all
}

async function measured(benchmark: Benchmark): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), 'drover-bench-'))
  try {
    const fleets = openFleets(join(root, '.drover/bench'), directory, say)
    const comparisons = await benchmark.measure({ directory, fleets, quick, say, real: reality.real })
    const { name, title, measures, reference } = benchmark
    return { name, title, measures, reference, machine: thisMachine(), rows: comparisons.map(toRow) }
  } catch (error) {
    // What it has started goes on for a moment, without its folder: nothing of that shall be said instead.
    say(`${benchmark.name}: ${messageOf(error)}`)
    if (rows.length > 0) printRows()
    await rm(directory, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined)
    process.exit(1)
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 })
  }
}

async function keep(result: Result): Promise<void> {
  await mkdir(results, { recursive: true })
  const rounded = (_: string, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(5)) : value)
  await writeFile(join(results, `${result.name}.json`), `${JSON.stringify(sparing(result), rounded, 2)}\n`)
  await writeFile(join(results, `${result.name}.svg`), chart(result))
}

const mostKept = 200

/** Of thousands of samples every so-many-th of their order is as good as all. */
function sparing(result: Result): Result {
  const some = (values: readonly number[]) => {
    if (values.length <= mostKept) return values
    const sorted = values.toSorted((one, other) => one - other)
    return Array.from({ length: mostKept }, (_, at) => sorted[Math.floor((at * (sorted.length - 1)) / (mostKept - 1))]!)
  }
  const rows = result.rows.map((row) => ({ ...row, drover: some(row.drover), reference: some(row.reference) }))
  return { ...result, rows }
}

function cells({ what, statistic, is, unit, ratio, limit, held }: Row): string[] {
  const bound = limit === undefined ? '' : 'most' in limit ? `${limit.most} ${unit}` : `${limit.times} x`
  return [
    what === '' ? statistic : `${what} (${statistic})`,
    `${shown(is.drover)} ${unit}`,
    is.reference === undefined ? '' : `${shown(is.reference)} ${unit}`,
    ratio === undefined ? '' : `${shown(ratio)} x`,
    bound,
    held === undefined ? '' : held ? 'held' : 'MISSED',
  ]
}

// What was started ends with us, however we end.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
await main().finally(reality.close)
