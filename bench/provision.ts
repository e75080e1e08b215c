import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startWorld, type World } from '../local/world.ts'
import { buildBundle, bundle } from '../scripts/build.ts'
import { terminals } from '../shared/lifecycles.ts'
import { runId } from '../shared/run.ts'
import { cpuSeconds } from './cpu.ts'
import { table } from './table.ts'

/** `npm run bench:provision`: how long a provision takes from POST to `completed`, one after the other and fifty at once. */

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '15' },
    many: { type: 'string', default: '50' },
    processes: { type: 'boolean', default: false },
  },
})
const warmups = 3

interface Timed {
  /** From before the POST until the Broker took the event that ended the run. */
  milliseconds: number
  ended: string
  /** For each fact of the run, how long after the one before it the Broker took it. */
  facts: Map<string, number>
}

async function provision(world: World, namePattern: string): Promise<Timed> {
  const source = '/bench'
  const id = randomUUID()
  const run = runId(source, id)
  const data = {
    template: 'linux-small',
    namespace: 'shop',
    owner: { kind: 'Group', name: 'team-shop' },
    namePattern,
  }
  const type = 'dev.drover.provision.requested'
  const event = { specversion: '1.0', id, source, type, time: new Date().toISOString(), data }
  const began = performance.now()
  const headers = { 'content-type': 'application/cloudevents+json' }
  const answer = await fetch(world.broker, { method: 'POST', headers, body: JSON.stringify(event) })
  if (!answer.ok) throw new Error(`Cannot post a request: the Broker answered ${answer.status}`)
  const isEnd = (one: string) => terminals.some((fact) => one.endsWith(`.${fact}`))
  const end = await world.feed.first((seen) => seen.run === run && isEnd(seen.type))
  const seen = world.feed.seen.filter(
    (one) => one.run === run && !one.type.endsWith('.progressing') && one.at <= end.at,
  )
  const facts = seen.map(({ type, at }, index) => [factOf(type), at - (seen[index - 1]?.at ?? began)] as const)
  return { milliseconds: end.at - began, ended: factOf(end.type), facts: new Map(facts) }
}

const factOf = (type: string) => type.replace('dev.drover.provision.', '')

/** How often the runs ended in which way, for instance "50 completed". */
function endings(runs: readonly Timed[]): string {
  const counts = Object.groupBy(runs, ({ ended }) => ended)
  return Object.entries(counts)
    .map(([ended, some]) => `${some?.length ?? 0} ${ended}`)
    .join(', ')
}

/** The value below which a share of the others lie, as text. */
function quantile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((one, other) => one - other)
  return `${Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0)} ms`
}

interface Measured {
  row: string[]
  runs: Timed[]
}

async function measured(what: string, act: () => Promise<Timed[]>): Promise<Measured> {
  const began = performance.now()
  const before = cpuSeconds()
  const runs = await act()
  const elapsed = `${((performance.now() - began) / 1000).toFixed(2)} s`
  const each = `${Math.round(((cpuSeconds() - before) * 1000) / runs.length)} ms`
  const times = runs.map(({ milliseconds }) => milliseconds)
  return { row: [what, endings(runs), ...[0, 0.5, 1].map((share) => quantile(times, share)), elapsed, each], runs }
}

/** How long each fact took after the one before it: the median of the runs. */
function factRows(runs: readonly Timed[]): string[][] {
  const names = new Set(runs.flatMap(({ facts }) => [...facts.keys()]))
  return [...names].map((name) => [
    name,
    quantile(
      runs.flatMap(({ facts }) => facts.get(name) ?? []),
      0.5,
    ),
  ])
}

async function inTurn(world: World, count: number): Promise<Timed[]> {
  const runs: Timed[] = []
  for (let index = 0; index < count; index++) {
    runs.push(await provision(world, 'one-{number:3}'))
    // What follows the end, such as feedback, is not of the next run.
    await world.idle()
  }
  return runs
}

const directory = await mkdtemp(join(tmpdir(), 'drover-bench-'))
const settings = { DROVER_LOG_LEVEL: 'silent', DROVER_GRACE_SECONDS: '30' }
if (values.processes) await buildBundle()
const world = await startWorld({ directory, delays: 0, settings, ...(values.processes ? { bundle } : {}) })
try {
  await inTurn(world, warmups)
  const many = Number(values.many)
  const one = await measured('one after the other', () => inTurn(world, Number(values.runs)))
  const all = await measured(`${many} at once`, () =>
    Promise.all(Array.from({ length: many }, () => provision(world, 'many-{number:3}'))),
  )
  const [cpu] = cpus()
  const load = loadavg().map((value) => value.toFixed(1))
  process.stdout.write(`${table(
    ['provision, POST to end', 'ended', 'fastest', 'median', 'slowest', 'all', 'CPU each'],
    [one.row, all.row],
  )}

${table(['fact, after the one before it', 'median'], factRows(one.runs))}

${cpus().length} x ${cpu?.model.trim()}, Node ${process.versions.node}, load average ${load.join(' ')}; ${values.processes ? 'each function a process' : 'all functions in one process'}, simulated delays 0
`)
} finally {
  await world.close()
  await rm(directory, { recursive: true, force: true, maxRetries: 3 })
}
