import { messageOf } from '../../shared/errors.ts'
import { type Fleet, nothing, type Tree } from '../../shared/fleet.ts'
import { freeIn, type Pool, readPool } from '../../shared/ipam/pool.ts'
import { type RunRecord, readRecord } from '../../shared/ledger.ts'
import { networksFolder, runFile, runFolder } from '../../shared/paths.ts'
import { namesIn } from '../../shared/schema/read.ts'
import { type FleetView, isPastDeadline, type Standstill, type Swept } from '../../shared/step.ts'
import { toYaml } from '../../shared/yaml.ts'
import { problemsOf, toStandstill } from './standstill.ts'

export interface SweepSettings {
  /** How long a run in flight may be silent until its events are taken for lost. */
  quietMilliseconds: number
  /** How many runs one tick makes go on (20); the others wait for the next. */
  most?: number
}

/**
 * Finds the runs whose events were lost, by their records in Git alone, and says what each is to hear so that it goes on:
 * what its last commit came to or, when its time is up, that it failed. A commit notes that a run was made to go on, so
 * of two ticks at once only one does it, and the next one waits.
 */
export async function sweep(fleet: Fleet, settings: SweepSettings, now: Date): Promise<Swept> {
  const tree = await fleet.head()
  const [unreadable, problems]: [string[], string[]] = [[], []]
  const records = await Promise.all((await namesIn(tree, runFolder)).map((run) => readOne(tree, run, unreadable)))
  const open = records.filter((record) => record !== undefined)
  const quiet = open
    .filter((record) => isQuiet(record, settings, now))
    .sort((one, other) => Date.parse(one.at) - Date.parse(other.at))
    .slice(0, settings.most ?? 20)
  const standing = await Promise.all(
    quiet.map(async (record): Promise<Standstill[]> => {
      // The others have been noted by now: who is not told of it would be silent until the next tick but one.
      const failed = (sentences: string[]) => (error: unknown) => {
        sentences.push(`Cannot go on with ${runFile(record.run)}: ${messageOf(error)}`)
        return undefined
      }
      const noted = await note(record, fleet, settings, now).catch(failed(problems))
      const found = noted && (await toStandstill(noted, fleet, now).catch(failed(unreadable)))
      return found ? [found] : []
    }),
  )
  return { standing: standing.flat(), open, networks: await networksIn(tree), unreadable, problems }
}

/** How many addresses each network has left. What is wrong with one is said to who asks for an address. */
async function networksIn(tree: Tree): Promise<FleetView['networks']> {
  const found: FleetView['networks'] = []
  // One after the other: together they hold every address of the fleet.
  for (const { name: network } of await tree.list(networksFolder)) {
    const pool = await readPool(tree, network)
    if ('network' in pool)
      found.push(...familiesOf(pool).map((family) => ({ network, family, free: freeIn(pool, family) })))
  }
  return found
}

const familiesOf = ({ subnets }: Pool) => [...new Set(subnets.map(({ family }) => family))].sort()

/** A record that nobody can read must not keep all others from going on. */
async function readOne(tree: Tree, run: string, unreadable: string[]): Promise<RunRecord | undefined> {
  try {
    const record = await readRecord(tree, run)
    const wrong = record === undefined ? [] : problemsOf(record, run)
    if (wrong.length === 0) return record
    unreadable.push(`Cannot go on with ${runFile(run)}: ${wrong.join('; ')}`)
  } catch (error) {
    unreadable.push(messageOf(error))
  }
  return undefined
}

const minute = 60_000

/** How often a silence is doubled at most: whose events are lost time and again must still hear of it while there is time. */
const mostDoubled = 4

/** Who waits for the world makes no commit either, so a silence must last twice as long each time that nothing came of it. */
function isQuiet(record: RunRecord, { quietMilliseconds }: SweepSettings, now: Date): boolean {
  if (record.state === 'stranded') return false
  // Whose time is up ends by itself within moments, if anybody still works on it.
  const moment = Math.min(minute, quietMilliseconds)
  const isLate = isPastDeadline(record, new Date(now.getTime() - moment))
  const times = isLate ? resumedOf(record, now) : (record.resumed ?? 0)
  const silence = (isLate ? moment : quietMilliseconds) * 2 ** Math.min(times, mostDoubled)
  return now.getTime() - Date.parse(record.at) >= silence
}

/** How often a run was made to go on; while it had time says nothing of its end. */
function resumedOf(record: RunRecord, now: Date): number {
  const wasInTime = !isPastDeadline(record, new Date(record.at))
  return wasInTime && isPastDeadline(record, now) ? 0 : (record.resumed ?? 0)
}

/** The record as it stands once it says that the run was made to go on; undefined when it is not quiet any more. */
async function note(
  quiet: RunRecord,
  fleet: Fleet,
  settings: SweepSettings,
  now: Date,
): Promise<RunRecord | undefined> {
  const { run, lifecycle, requester, facts } = quiet
  const { value } = await fleet.transact<RunRecord | undefined>({
    subject: `Go on with ${lifecycle} of ${facts.name ?? run}: nothing was heard of it since ${quiet.at}`,
    trailers: { run, lifecycle, requester, step: 'resume' },
    decide: async (tree) => {
      const record = await readRecord(tree, run)
      if (!record || !isQuiet(record, settings, now)) return nothing(undefined)
      const next = { ...record, at: now.toISOString(), resumed: resumedOf(record, now) + 1 }
      // What is said refers to what was heard last, not to this.
      return { changes: [{ path: runFile(run), content: toYaml(next) }], value: record }
    },
  })
  return value
}
