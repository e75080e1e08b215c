import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/**
 * What Drover measures: the one table of its instruments. They are those of the library that the runtime brings, so they
 * cost no start; `/metrics` shows them, and OTLP is sent the same numbers. No label holds a name that a request chooses.
 */
export const registry = new Registry()

export interface Described {
  name: string
  kind: 'counter' | 'gauge' | 'histogram'
  labels: readonly string[]
  help: string
}

/** Every instrument in the order of the table, for docs/observability.md. */
export const instruments: Described[] = []

const moments = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

function counter<const L extends string>(name: string, labels: readonly L[], help: string): Counter<L> {
  instruments.push({ name, kind: 'counter', labels, help })
  return new Counter({ name, help, labelNames: labels, registers: [registry] })
}

function gauge<const L extends string>(name: string, labels: readonly L[], help: string): Gauge<L> {
  instruments.push({ name, kind: 'gauge', labels, help })
  return new Gauge({ name, help, labelNames: labels, registers: [registry] })
}

function histogram<const L extends string>(
  name: string,
  labels: readonly L[],
  help: string,
  buckets = moments,
): Histogram<L> {
  instruments.push({ name, kind: 'histogram', labels, help })
  return new Histogram({ name, help, labelNames: labels, buckets, registers: [registry] })
}

export const steps = histogram(
  'drover_step_seconds',
  ['lifecycle', 'task', 'outcome'],
  'How long a step took from its event to its answer, by what it came to: `succeeded`, `refused`, `stranded`, `notYet`, `ignored`, `failed` by an error, or `buried` where the Broker gave up on its event',
)
export const deliveries = counter(
  'drover_deliveries_total',
  ['status'],
  'Events that were delivered, by the status of the answer; ticks and dead letters too, and what was refused because it is no event (400, 405, 413)',
)
export const retries = counter(
  'drover_retries_total',
  ['of'],
  'What is done again: a `delivery` that was given back to the Broker with 500 or 503, a `push` that others were before, a `request` to a cluster that was busy',
)
export const runEnds = counter(
  'drover_run_ends_total',
  ['lifecycle', 'end'],
  'Runs that ended: `completed`, `rolledback` or `stranded`; an end that is said twice counts twice',
)
export const deadLetters = counter(
  'drover_dead_letters_total',
  ['task'],
  'Events that the Broker gave up on, by the task that they were for; `none` where they are not of our chain',
)
export const resumedRuns = counter(
  'drover_resumed_runs_total',
  ['lifecycle'],
  'Runs that a tick made go on, because their events were lost or their time was up',
)
export const commitsPerPush = histogram(
  'drover_commits_per_push',
  [],
  'How many commits went to the fleet repository in one push',
  [1, 2, 3, 5, 10, 20, 50, 100],
)
export const queueLength = gauge(
  'drover_queue_length',
  [],
  'Commits that were asked for and have not landed: those that wait for a push, and those in it',
)
export const calls = counter(
  'drover_calls_total',
  ['to', 'cluster', 'outcome'],
  'Calls to the outside, by what was called (`git fetch`, `git push`, `kubernetes`, `kubernetes watch`, `broker`, `cmdb`, `dns`, `callback`), the cluster where it is one, and what came of it: `ok`, `none` where a name server knows no such record, `raced` where others were before a push, `refused`, `busy`, `broken`, `failed`, `ended` or the status of a cluster',
)
export const callSeconds = histogram('drover_call_seconds', ['to'], 'How long such a call took')

// What the fleet as a whole says is known to `recover` alone, from its look at runs/ at each tick.
export const runs = gauge(
  'drover_runs',
  ['lifecycle', 'state'],
  'Runs that have a record, by state: `running`, `undoing` or `stranded`',
)
export const oldestRun = gauge(
  'drover_oldest_run_seconds',
  [],
  'How long ago the oldest run was requested that is `running` or `undoing`; 0 where there is none',
)
export const overdue = gauge(
  'drover_overdue_seconds',
  [],
  'By how much the latest of them is past its deadline, or that of its undo; 0 where none is',
)
export const unreadableRecords = gauge(
  'drover_unreadable_records',
  [],
  'Records in runs/ that nobody can go on with, because they cannot be read',
)
export const freeAddresses = gauge(
  'drover_free_addresses',
  ['network', 'family'],
  'Addresses of a network that a machine can still be given without naming one',
)
export const swept = gauge(
  'drover_sweep_timestamp_seconds',
  [],
  'When `recover` looked at runs/ last, as Unix time; the numbers of the fleet are of that moment',
)
