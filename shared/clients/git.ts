import { DroverError } from '../errors.ts'
import type { Committed, Fleet, Transaction } from '../fleet.ts'
import { queueLength } from '../telemetry/metrics.ts'
import { type Context, failSpanBy, type Span, SpanKind, spanned, underWay } from '../telemetry/traces.ts'
import { openClone } from './git/clone.ts'
import { openHistory } from './git/find.ts'
import { type Landing, land } from './git/land.ts'
import type { Timeouts } from './git/make-clone.ts'
import type { Signature } from './git/new-objects.ts'
import { openObjects } from './git/objects.ts'
import { observed } from './git/observed.ts'
import type { Ending } from './git/plan.ts'
import { openQueue, type Window } from './git/queue.ts'
import { type RemoteConfig, toRemote } from './git/remote.ts'
import { isUnderWay } from './git/under-way.ts'

export interface FleetConfig extends RemoteConfig {
  branch: string
  /** The folder in which this client keeps its clone; clients and processes may share it. */
  directory: string
  author: Signature
  window?: Window
  timeouts?: Partial<Timeouts>
  /** How often in a row a push may fail before the transaction is given back as busy. */
  tries?: number
  /** For how many milliseconds it is tried, also while others are always first: a delivery is given up by the Broker when it is not answered in a minute. */
  patience?: number
  /** For how many milliseconds a server is left alone that wants to be asked less often. */
  ratePause?: number
  log?: { warn(fields: object, message: string): void }
}

interface Pending {
  transaction: Transaction<unknown>
  /** The trace that it belongs to. */
  trace: Context
  settle(ending: Ending): void
}

const TIMEOUTS: Timeouts = { clone: 120_000, fetch: 30_000, push: 60_000, local: 30_000 }
// What Git allows in the name of a branch, without what has a meaning in a refspec or a shell.
const BRANCH = /^(?!.*(?:\.\.|\/\/|\.lock(?:\/|$)|\/\.))[A-Za-z0-9_][A-Za-z0-9._/-]*(?<![./])$/

/** Opens the fleet repository through native git; nothing is read before the first use. */
export function openFleet(config: FleetConfig): Fleet {
  if (!BRANCH.test(config.branch)) {
    throw new DroverError(
      'broken',
      `Cannot use the branch ${JSON.stringify(config.branch)}: it is not a plain branch name`,
    )
  }
  const remote = toRemote(config)
  const timeouts = { ...TIMEOUTS, ...config.timeouts }
  const closing = new AbortController()
  const onRemake = (why: string) => config.log?.warn({ why }, 'the clone of the fleet repository is made again')
  const { branch, directory, author } = config
  const settings = {
    remote,
    branch,
    directory,
    timeouts,
    signal: closing.signal,
    running: new Set<Promise<unknown>>(),
    onRemake,
  }
  const clone = observed(openClone(settings), remote.redact)
  const objects = openObjects(clone)
  const history = openHistory(clone, remote.redact)
  const landing: Landing = {
    clone,
    treeAt: objects.at,
    author,
    tries: config.tries ?? 10,
    patience: config.patience ?? 30_000,
    ratePause: config.ratePause ?? 10_000,
    signal: closing.signal,
    note: history.note,
    redact: remote.redact,
  }
  const queue = openQueue<Pending>({
    window: config.window ?? { runs: 100, milliseconds: 0 },
    lastAt: () => clone.pushedAt,
    isAlone: () => clone.isAlone,
    land: (batch) => landAll(landing, batch),
    signal: closing.signal,
  })

  return {
    head: async () => objects.at(await clone.fetch()),
    transact: (transaction) =>
      spanned('git commit', SpanKind.INTERNAL, {}, (span) =>
        enqueue(transaction, queue.add).catch((error: unknown) => {
          failSpanBy(span, error)
          throw error
        }),
      ),
    find: async (run, step, since, tree) => {
      if (tree && isUnderWay(tree, { run, step })) return tree.revision
      const tip = tree ? tree.revision : (await clone.fetch()).commit
      return history.find({ run, step, since }, tip)
    },
    close: async () => {
      closing.abort(new DroverError('busy', 'Cannot use the fleet repository: the client is closed'))
      await clone.close()
      await remote.close()
    },
  }
}

function enqueue<T>(transaction: Transaction<T>, add: (pending: Pending) => void): Promise<Committed<T>> {
  return new Promise((resolve, reject) => {
    queueLength.inc()
    const settle = (ending: Ending) => {
      queueLength.dec()
      // The value is the one that this transaction's own decide answered.
      if ('error' in ending) reject(ending.error)
      else resolve({ ...ending, value: ending.value as T })
    }
    add({ transaction, trace: underWay(), settle })
  })
}

async function landAll(landing: Landing, batch: readonly Pending[]): Promise<void> {
  const transactions = batch.map(({ transaction }) => transaction)
  const endings = await inTraces(batch, async (span) => {
    const found = await land(landing, transactions).catch((error: unknown) => batch.map(() => ({ error })))
    const [first] = found
    // One that was refused alone is told of by its own commit.
    if (first && 'error' in first && found.every((one) => 'error' in one)) failSpanBy(span, first.error)
    return found
  })
  for (const [index, { settle }] of batch.entries())
    settle(endings[index] ?? { error: new DroverError('broken', 'Cannot commit: no answer') })
}

/** One push is the work of several runs: it is a part of the first one's trace, and linked to those of the others. */
function inTraces<T>([first, ...others]: readonly Pending[], act: (span: Span) => Promise<T>): Promise<T> {
  const traces = others.map(({ trace }) => trace)
  const attributes = { 'drover.commits': traces.length + 1 }
  return spanned('git land', SpanKind.INTERNAL, attributes, act, first?.trace, traces)
}
