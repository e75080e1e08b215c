import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Seen } from '../../local/feed.ts'
import { eventType } from '../../shared/event-types.ts'
import { type RunRecord, type Stage, stages } from '../../shared/ledger.ts'
import { changesMachine, type LifecycleName, lifecycles } from '../../shared/lifecycles.ts'
import { runFile } from '../../shared/paths.ts'
import { runId } from '../../shared/run.ts'
import type { Definition } from '../../shared/schema/definition.ts'
import { parseYaml } from '../../shared/yaml.ts'
import { type Chain, type Run, small } from '../chain/harness.ts'
import { byTheDozen, isEndOf, quiet, requestLosing, startHasty, terminalsOf, tickingWhenQuiet } from '../chain/lost.ts'
import { dataOnly, machinesOf } from '../chain/machines.ts'
import type { MachineFault } from '../chain/platform.ts'
import { type Asked, cluster, type Place, placesOf, requests } from '../chain/set-ups.ts'

/**
 * A Broker that loses events of runs that fail: the event that says so before anybody heard of it, a delivery of it in each
 * stage of the undo, and the event that says that all is back.
 */

/** What fails, and the stages that the undo of a change goes through then; one of something new has none. */
interface Failing {
  task: string
  fault: MachineFault
  through?: readonly Stage[]
}

const failings: Record<LifecycleName, Failing> = {
  'golden-image': { task: 'push.verify', fault: 'job-fails' },
  provision: { task: 'create.verify', fault: 'crash-loop' },
  // Later it is past return.
  deprovision: { task: 'save.verify', fault: 'snapshot-fails', through: ['off', 'back'] },
  repave: { task: 'swap.verify', fault: 'crash-loop', through: ['off', 'back'] },
  patch: { task: 'patch.verify', fault: 'job-fails', through: ['off', 'disks', 'back'] },
  snapshot: { task: 'snapshot.verify', fault: 'snapshot-fails', through: ['back'] },
  restore: { task: 'start.verify', fault: 'crash-loop', through: stages },
  clone: { task: 'create.verify', fault: 'crash-loop' },
  resize: { task: 'start.verify', fault: 'crash-loop', through: ['off', 'back'] },
  power: { task: 'start.verify', fault: 'crash-loop', through: ['back'] },
  migrate: { task: 'migrate.verify', fault: 'migration-fails', through: ['back'] },
}

/** What is lost of a failed run. */
interface Row extends Omit<Failing, 'through'> {
  lifecycle: LifecycleName
  what: string
  fact: string
  /** What its record says when it is lost. */
  state?: RunRecord['state']
  stage?: Stage
  /** What keeps the cluster from following meanwhile, so that the undo stays where it is. */
  hold?: MachineFault
}

/** Nothing but Argo CD is in the way of a first stage; snapshot and disks come after it, and the guest starts last. */
const holds: Record<Stage, MachineFault> = {
  off: 'sync-stuck',
  keep: 'snapshot-stuck',
  disks: 'restore-stuck',
  back: 'no-agent',
}

/** A patch is undone by a clone of its snapshot, and by no restore. */
const holdOf = (lifecycle: LifecycleName, stage: Stage): MachineFault =>
  lifecycle === 'patch' && stage === 'disks' ? 'clone-fails' : holds[stage]

const rows: Row[] = lifecycles.flatMap(({ name: lifecycle }) => {
  const { through = [], ...failing } = failings[lifecycle]
  const row = (what: string, fact: string, rest: Partial<Row> = {}): Row => ({
    ...failing,
    ...{ lifecycle, what, fact },
    ...rest,
  })
  const fact = `${failing.task}.failed`
  const undoing = changesMachine(lifecycle)
    ? through.map((stage, at) =>
        row(`its failure, in the stage "${stage}" of its undo`, fact, {
          ...{ state: 'undoing', stage },
          hold: at === 0 ? 'sync-stuck' : holdOf(lifecycle, stage),
        }),
      )
    : [row('its failure, in the middle of its undo', fact, { state: 'undoing', hold: 'sync-stuck' })]
  return [
    row('its failure, before anybody heard of it', fact, { state: 'running' }),
    ...undoing,
    row('that it was undone', 'rolledback'),
  ]
})

interface Undone {
  run: Run
  place: Place
  before: Definition | undefined
  ended: Seen
}

let chain: Chain
const machines = machinesOf(() => chain)
const places = placesOf(machines)
const undone = new Map<Row, Undone | Error>()

/** A run's record as Git has it now; asked in the middle of a delivery, so it cannot be waited for. */
function recordNow(run: string): RunRecord | undefined {
  try {
    const show = ['--git-dir', chain.repository, 'show', `main:${runFile(run)}`]
    return parseYaml(execFileSync('git', show, { encoding: 'utf8', stdio: 'pipe' })) as RunRecord
  } catch {
    return undefined
  }
}

let count = 0
const newPlace = (): Place => ({ namespace: `new-${++count}`, name: `vm-${count}` })
const requestOf = (lifecycle: LifecycleName, place: Place) =>
  lifecycle === 'provision' ? small({ ...place, placement: { cluster } }) : requests[lifecycle as Asked](place)
/** What it leaves would be seen where another row is compared in the end. */
const takesFresh = (lifecycle: LifecycleName): lifecycle is 'patch' => lifecycle === 'patch'
const placeFor = (lifecycle: LifecycleName) =>
  lifecycle === 'provision'
    ? newPlace()
    : takesFresh(lifecycle)
      ? places.fresh(lifecycle)
      : places.take(lifecycle as Asked)
const definitionIn = async (lifecycle: LifecycleName, place: Place) =>
  changesMachine(lifecycle) ? machines.definitionOf({ cluster, ...place }) : undefined

async function fail(row: Row): Promise<void> {
  const { lifecycle, fault, hold, fact, task } = row
  const place = await placeFor(lifecycle)
  const before = await definitionIn(lifecycle, place)
  const id = `${lifecycle} ${row.what}`
  const own = runId('/tests', id)
  const mends: (() => void)[] = []
  let isLost = false
  const stop = chain.feed.listen(({ run, type }) => {
    if (run !== own) return
    if (type.endsWith(`${task.split('.')[0]}.built`) && mends.length === 0)
      mends.push(chain.fault(fault, place.namespace))
    if (!type.endsWith('.failed')) return
    // What failed fails again, for as long as nobody has heard of it.
    if (row.state !== 'running' || isLost) mend()
    if (hold && !isLost) mends.push(chain.fault(hold, hold === 'sync-stuck' ? undefined : place.namespace))
  })
  const mend = () => {
    for (const end of mends.splice(0)) end()
  }
  const when = () => {
    const record = recordNow(own)
    isLost = row.state === undefined || (record?.state === row.state && record.stage === row.stage)
    return isLost
  }
  const run = await requestLosing(chain, requestOf(lifecycle, place), fact, { lifecycle, id, when })
  if (row.state === 'undoing') mend()
  const ended = await chain.feed.first(isEndOf(run))
  if (fact !== 'rolledback') await run.ended
  stop()
  mend()
  undone.set(row, { run, place, before, ended })
  if (isAsBefore(lifecycle) && ended.type.endsWith('.rolledback')) places.giveBack(lifecycle as Asked, place)
}

/** What has grown, or been made, stays, such as the root disk of a patch: the next run on it would find something else. */
const isAsBefore = (lifecycle: LifecycleName) => !['resize', 'clone', 'provision', 'patch'].includes(lifecycle)

beforeAll(async () => {
  chain = await startHasty({ DROVER_GRACE_SECONDS: '2', DROVER_PATIENCE_SECONDS: '5', DROVER_QUIET_MINUTES: '0.02' })
  await tickingWhenQuiet(
    chain,
    byTheDozen(rows, (row) => fail(row).catch((error: Error) => void undone.set(row, error))),
  )
  await quiet(chain)
}, 1_800_000)
afterAll(() => chain.close())

/** What of a machine an undo puts back: a disk that has grown stays, and so does it that a restore is in mind. */
const lasting = ({ disks: _, pinned: __, snapshots = [], ...rest }: Definition) => ({
  ...rest,
  snapshots: snapshots.filter((one) => !isKept(one)),
})

/** The same without the root disk that the undo of a patch has made, and the one that it has kept. */
function withoutNewRoot({ rootDisk, oldRoots = [], ...rest }: ReturnType<typeof lasting>, run: string) {
  const { name, snapshot: _, ...disk } = rootDisk
  expect(name).toMatch(new RegExp(`-root-undo-${run.slice(0, 8)}$`))
  const { image: __, name: changed, until, ...old } = oldRoots.at(-1) ?? expect.fail('the one that was changed is gone')
  expect([old, until]).toEqual([disk, expect.any(String)])
  expect(changed).toMatch(/-root-/)
  return { ...rest, rootDisk: disk }
}

/** What a guest had written until the disks of its machine were put back: the undo of a restore keeps it, and several are lived on one machine. */
const isKept = ({ name, run }: { name: string; run: string }) => name.includes('-undone-') && restores().includes(run)

const restores = () =>
  [...undone].flatMap(([{ lifecycle }, found]) =>
    lifecycle === 'restore' && !(found instanceof Error) ? [found.run.id] : [],
  )

function undoneOf(row: Row): Undone {
  const found = undone.get(row) ?? expect.fail('nothing was lost')
  if (found instanceof Error) throw found
  return found
}

describe('a failed run', () => {
  it.each(rows)('of $lifecycle that lost $what is undone, once', async (row) => {
    const { run, ended } = undoneOf(row)
    const failed = run.events().find(({ type }) => type.endsWith('.failed'))
    expect([failed?.type, failed?.data.message]).toEqual([
      eventType(row.lifecycle, `${row.task}.failed`),
      expect.anything(),
    ])
    expect([ended.type, ended.data.message]).toEqual([eventType(row.lifecycle, 'rolledback'), expect.anything()])
    expect(terminalsOf(run)).toEqual(new Set(['rolledback']))
    expect(Object.keys(await chain.files())).not.toContain(runFile(run.id))
  })

  it.each(rows.filter(({ lifecycle }) => changesMachine(lifecycle)))(
    'of $lifecycle that lost $what leaves its machine as it was',
    async (row) => {
      const { place, before, run } = undoneOf(row)
      const vm = { cluster, ...place }
      const now = await machines.definitionOf(vm)
      const kept = (now.snapshots ?? []).filter((one) => isKept(one) && one.run === run.id)
      expect(kept).toHaveLength(row.lifecycle === 'restore' ? 1 : 0)
      const is = row.lifecycle === 'patch' ? withoutNewRoot(lasting(now), run.id) : lasting(now)
      expect(is).toEqual(lasting(before ?? expect.fail('there was no machine')))
      expect(now.disks.map(({ name }) => name)).toEqual(before?.disks.map(({ name }) => name))
      expect(dataOnly(await machines.claimsOf(vm))).toEqual(await machines.recorded(vm))
      expect(await machines.statusOf(vm)).toMatchObject({ printableStatus: 'Running' })
    },
  )
})
