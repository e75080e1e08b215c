import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Seen } from '../../local/feed.ts'
import { type Failing, failings } from '../../scripts/docs/failures.ts'
import { taskFor } from '../../shared/event-types.ts'
import { imageApplicationName } from '../../shared/images/names.ts'
import type { RunRecord } from '../../shared/ledger.ts'
import { lifecycles, terminals } from '../../shared/lifecycles.ts'
import {
  archiveFolder,
  claimsFile,
  definitionFile,
  isLock,
  isShared,
  machineFolder,
  nameFile,
  runFile,
} from '../../shared/paths.ts'
import { runId } from '../../shared/run.ts'
import type { Definition } from '../../shared/schema/definition.ts'
import { parseYaml, toYaml } from '../../shared/yaml.ts'
import { type Chain, endOf, factsOf, isReal, type Run, startChain } from './harness.ts'
import { tick } from './lost.ts'
import { dataOnly, machinesOf } from './machines.ts'
import { type Asked, cluster, type Place, placesOf, requests } from './set-ups.ts'
import { type Shown, shown } from './shown.ts'
import { afflict, type Trouble, troubleOf } from './troubles.ts'

/**
 * Every task of every lifecycle fails, once because nobody can do it and once because of the cluster, and what becomes of
 * the run is what `scripts/docs/failures.ts` promises in the docs. `failures.test.ts` does the same for provision.
 */

let chain: Chain
const machines = machinesOf(() => chain)
const places = placesOf(machines)

/** The task that nobody can do, by the run. */
const dead = new Map<string, string>()
const runs: Run[] = []

/** Real controllers take their time, and CDI says of a pod that is late that it cannot be started. */
const pace = isReal()
  ? { settings: { DROVER_GRACE_SECONDS: '20', DROVER_PATIENCE_SECONDS: '40' }, seconds: 420, interval: 2_000 }
  : { settings: { DROVER_GRACE_SECONDS: '2', DROVER_PATIENCE_SECONDS: '20' }, seconds: 180, interval: 200 }

beforeAll(async () => {
  chain = await startChain(pace.settings)
  // The dead letter sink is `recover`, which must still hear of it.
  chain.tamper.with = (name, { id, type, run }) =>
    name !== 'recover' && dead.get(run || runId('/tests', id)) === taskFor(type)?.task.name ? 400 : undefined
})
afterAll(() => chain.close())

interface Row extends Failing {
  lifecycle: Asked
  name: string
  trouble?: Trouble
}

const rows = lifecycles.flatMap((lifecycle): Row[] => {
  const { name } = lifecycle
  if (name === 'provision') return []
  return failings(lifecycle).map((failing) => ({ ...failing, lifecycle: name, name: failing.task.name }))
})

const troubled = rows.flatMap((row): Row[] => {
  const trouble = troubleOf(row.lifecycle, row.task)
  return trouble ? [{ ...row, trouble }] : []
})

describe('a run ends as the docs promise', { timeout: pace.seconds * 1_000 }, () => {
  // The played node of real controllers knows no fault of one namespace.
  if (!isReal())
    // Some of these wait a minute, while the others go on.
    it.concurrent.each(troubled)('$lifecycle: $trouble.fault at $name, it ends $ends', fails)

  it.concurrent.each(rows)('$lifecycle: nobody can do $name, it ends $ends', fails)
})

describe('a run that fails', () => {
  it('ends once', async () => {
    await chain.idle()
    const endings = runs.map((run) => factsOf(run).filter((fact) => terminals.some((one) => one === fact)))
    // A person has let those go on that were left to them.
    expect(endings.filter((facts) => facts.length !== 1 && facts.join() !== 'stranded,completed')).toEqual([])
  })
})

/** A run that has failed, and what there was before it. */
interface Failed {
  row: Row
  place: Place
  before: { shown: Shown; files: Record<string, string> }
  after: Record<string, string>
  run: Run
  ended: Seen
}

async function fails(row: Row): Promise<void> {
  const failed = await failingRun(row)
  const { run, ended, place } = failed
  const said = run.events().find(({ type }) => type.endsWith('.failed'))
  expect([said?.type, said?.data.message]).toEqual([
    `dev.drover.${row.lifecycle}.${row.name}.failed`,
    expect.stringContaining(row.trouble?.says ?? 'the Broker gave up after'),
  ])
  expect([ended.type, ended.data.message]).toEqual([`dev.drover.${row.lifecycle}.${row.ends}`, expect.anything()])
  await expectEnd[row.ends](failed)
  const isAsItWas = Object.keys(staysOf(failed)).length === 0 && !promises(row, onNewRoot) && !promises(row, taken)
  if (row.ends === 'rolledback' && isAsItWas) places.giveBack(row.lifecycle, place)
}

/** Has a run fail at its row's task. */
async function failingRun(row: Row): Promise<Failed> {
  const { lifecycle, name, trouble } = row
  const request = requests[lifecycle] ?? expect.fail(`set-ups.ts has no request of ${lifecycle}`)
  const place = await places.take(lifecycle)
  const before = { shown: await shown(chain, { cluster, ...place }), files: await chain.files() }
  const id = `${lifecycle}-${name}-${trouble?.fault ?? 'dead'}`
  const key = runId('/tests', id)
  if (!trouble) dead.set(key, name)
  const stop = trouble && afflict(chain, place.namespace, trouble)
  const run = await chain.request({ ...request(place), ...trouble?.request }, { lifecycle, id })
  runs.push(run)
  const ended = await endOf(run, (pace.seconds - 30) * 1_000)
  stop?.()
  return { row, place, before, after: await chain.files(), run, ended }
}

const expectEnd: Record<Row['ends'], (failed: Failed) => Promise<void>> = {
  rolledback: expectUndone,
  stranded: expectLeft,
  completed: expectDone,
}

/** Everything is as it was before, but for what the docs say stays. */
async function expectUndone(failed: Failed): Promise<void> {
  const { row, place, before, ended } = failed
  expect(await differing(failed)).toEqual([])
  const stays = staysOf(failed)
  const root = promises(row, onNewRoot) ? { [newRootOf(failed)]: anyDisk } : {}
  const objects = [...(promises(row, taken) ? [`VirtualMachineSnapshot ${takenOf(failed)}`] : [])]
  // Argo CD removes what has left Git when it looks the next time.
  await vi.waitFor(
    async () => {
      const own = row.lifecycle === 'golden-image' ? imageApplicationName(place.name) : place.name
      for (const one of ['drover-hub', own]) await chain.refresh?.(one)
      const now = await shown(chain, { cluster, ...place })
      const made = { ...(isSurelyMade(row) ? stays : onlyThose(stays, now)), ...root }
      expect({ ...now, objects: settled(now, before) }).toEqual({
        ...before.shown,
        objects: [
          ...settled(before.shown, before),
          ...Object.keys(made).map((name) => `DataVolume ${name}`),
          ...objects,
        ].sort(),
        disks: { ...disksAfter(row, before.shown.disks), ...made },
        guests: promises(row, /turned o(n|ff)/) ? anyOf(before.shown.guests) : before.shown.guests,
      } satisfies Shown)
    },
    { timeout: 30_000, interval: pace.interval },
  )
  expect(ended.data.facts?.kept ?? []).toEqual(Object.keys(stays).map((name) => `${place.namespace}/${name}`))
  expect(ended.data.message?.includes('stays in the registry')).toBe(promises(row, /stays in the registry/))
  if (row.lifecycle === 'golden-image') return
  const vm = { cluster, ...place }
  // A machine whose claims are not those that are recorded is refused by the next run.
  expect(dataOnly(await machines.claimsOf(vm))).toEqual(await machines.recorded(vm))
}

/** The objects without those that had left Git before the run: Argo CD may not have looked since the one that closed last. */
function settled({ objects }: Shown, { shown, files }: Failed['before']): string[] {
  const paths = Object.keys(files)
  const isInGit = (object: string) =>
    paths.some((path) => path.endsWith(`/${object.toLowerCase().replace(' ', '-')}.yaml`))
  return objects.filter((object) => !shown.objects.includes(object) || isInGit(object))
}

const promises = ({ undone }: Row, what: RegExp) => what.test(undone)

const putBack = /its disks are put back to the run's own snapshot/
const onNewRoot = /a new root disk is made from the run's own snapshot/
const taken = /a snapshot is taken of what was written since/
const grown = /a disk that has grown or come stays/

const newRootOf = ({ place, run }: Failed) => `${place.name}-root-undo-${run.id.slice(0, 8)}`
const takenOf = ({ place, run }: Failed) => `${place.name}-undone-${run.id.slice(0, 8)}`

/** What becomes of the disks from before: a root disk that was changed is kept as it is now. */
function disksAfter(row: Row, disks: Shown['disks']): Shown['disks'] {
  if (promises(row, putBack)) return anew(disks)
  if (!promises(row, onNewRoot)) return disks
  const roots = Object.entries(disks).filter(([name]) => name.includes('-root-'))
  return { ...disks, ...Object.fromEntries(roots.map(([name, { uid }]) => [name, { ...anyDisk, uid }])) }
}

const anew = (disks: Shown['disks']): Shown['disks'] =>
  Object.fromEntries(Object.entries(disks).map(([name, disk]) => [name, { ...disk, uid: expect.any(String) }]))
const anyOf = (guests: Shown['guests']): Shown['guests'] =>
  Object.fromEntries(Object.keys(guests).map((name) => [name, expect.any(String)]))

/** Nobody says what is on a real disk. */
const anyDisk = { uid: expect.any(String), content: isReal() ? undefined : expect.any(String) }

/** The data disks that the run has made: no undo removes one. */
function staysOf({ row, place, ended }: Failed): Shown['disks'] {
  const made = [
    ...(promises(row, /its data disks stay/)
      ? [`${place.name}-copy-data-data`, `${place.name}-copy-data-scratch`]
      : []),
    ...(promises(row, grown) ? [`${place.name}-data-logs`] : []),
  ]
  const kept = (ended.data.facts?.kept ?? []).map((one) => one.slice(place.namespace.length + 1))
  return Object.fromEntries(made.map((name) => [kept.find((one) => one.startsWith(`${name}-`)) ?? name, anyDisk]))
}

/** Where nobody looked at what was committed, its undo may have been faster than Argo CD. */
const isSurelyMade = ({ name, trouble }: Row) => trouble !== undefined || !name.endsWith('.verify')

const onlyThose = (disks: Shown['disks'], now: Shown): Shown['disks'] =>
  Object.fromEntries(Object.entries(disks).filter(([name]) => now.disks[name] !== undefined))

/** What the run wrote in Git and has left otherwise than it was. */
async function differing(failed: Failed): Promise<string[]> {
  const { before, after, row, place } = failed
  const vm = [cluster, place.namespace, place.name] as const
  const paths = (await writtenBy(failed.run)).filter((path) => after[path] !== before.files[path])
  const left = await Promise.all(
    paths.map(async (path) => {
      if (path.startsWith('ipam/'))
        return isOf(place, await textOf(before.files[path])) !== isOf(place, await textOf(after[path]))
      if (path === claimsFile(...vm)) return !promises(row, putBack)
      const [one, other] = [await textOf(before.files[path]), await textOf(after[path])]
      if (path.endsWith(`-${promises(row, onNewRoot) ? newRootOf(failed) : takenOf(failed)}.yaml`)) return one !== ''
      if (path === definitionFile(...vm) && (promises(row, onNewRoot) || promises(row, taken)))
        return !isAsBefore(failed, one, other)
      if (promises(row, onNewRoot) && other.replaceAll(newRootOf(failed), rootIn(one)) === one) return false
      // A restore on the cluster stays in mind.
      if (promises(row, putBack) && unpinned(other) === unpinned(one)) return false
      if (!promises(row, grown)) return true
      if (path === definitionFile(...vm))
        return !isOnlyGrown(await textOf(before.files[path]), await textOf(after[path]))
      return !path.startsWith(`${machineFolder(...vm)}/manifests/persistentvolumeclaim-${place.name}-data-data-`)
    }),
  )
  return paths.filter((_, index) => left[index])
}

/** What the run has written, but for what the machines of a namespace share. */
async function writtenBy(run: Run): Promise<string[]> {
  const log = await chain.git('log', '--format=', '--name-only', '-F', `--grep=Drover-Run: ${run.id}`, 'main')
  return [...new Set(log.split('\n'))].filter((path) => path !== '' && !isShared(path))
}

const textOf = async (blob: string | undefined) => (blob === undefined ? '' : chain.git('cat-file', 'blob', blob))

/** Whose an address is: one that was given back may be somebody else's at once. */
const isOf = ({ namespace }: Place, lease: string) => lease.includes(`namespace: ${namespace}\n`)

const unpinned = (text: string) => text.replace(/^(pinned: true| +revisionName: "")\n/gm, '')

const rootIn = (manifest: string) => /claimName: "([^"]+-root-[^"]+)"/.exec(manifest)?.[1] ?? ''

/** True for the same definition, but for what an undo has made: another root disk, or a snapshot. */
function isAsBefore(failed: Failed, before: string, after: string): boolean {
  const [one, other] = [before, after].map((text) => parseYaml(text) as Definition) as [Definition, Definition]
  const snapshots = other.snapshots?.filter(({ name }) => name !== takenOf(failed)) ?? []
  const { oldRoots: _, snapshots: __, ...rest } = other
  expect(rest.rootDisk.name).toBe(promises(failed.row, onNewRoot) ? newRootOf(failed) : one.rootDisk.name)
  const same = { rootDisk: one.rootDisk, ...(one.oldRoots && { oldRoots: one.oldRoots }), pinned: one.pinned }
  expect({ ...rest, ...same, ...(snapshots.length > 0 && { snapshots }) }).toEqual(one)
  return true
}

/** True for the same definition, but for the disk that has grown. */
function isOnlyGrown(before: string, after: string): boolean {
  const [one, other] = [before, after].map((text) => parseYaml(text) as Definition)
  const sized = one?.disks.map((disk) => (disk.name === 'data' ? { ...disk, size: '8Gi', made: disk.size } : disk))
  expect(other).toEqual({ ...one, disks: sized })
  return true
}

/** The machine is gone for good: a person is told what to do, and finds its data where it was; and can let the run go on. */
async function expectLeft({ before, after, place, run, ended }: Failed): Promise<void> {
  const { namespace, name } = place
  expect(ended.data.message).toMatch(
    `${name} was taken away already, see ${archiveFolder(ended.data.since ?? '', name, run.id)}. What failed: `,
  )
  expect(ended.data.message).toMatch(
    `Put that right, and let the run go on: set state to "running" and deadline to a time to come in ${runFile(run.id)}`,
  )
  expect(await machines.read(runFile(run.id))).toMatchObject({ state: 'stranded', message: ended.data.message })
  // What holds a machine is nothing any more once the run's record is gone.
  const left = Object.keys(after).filter((path) => path.startsWith(machineFolder(cluster, namespace, name)))
  expect(left.filter((path) => !isLock(path))).toEqual([])
  const data = Object.entries(before.shown.disks).filter(([disk]) => disk.startsWith(`${name}-data-data-`))
  expect(data).toHaveLength(1)
  expect((await shown(chain, { cluster, namespace })).disks).toMatchObject(Object.fromEntries(data))
  await letGoOn(run)
  const still = Object.keys(await chain.files())
  expect(still.filter((path) => path === nameFile(name) || path === runFile(run.id))).toEqual([])
  expect((await shown(chain, { cluster, namespace })).disks).toMatchObject(Object.fromEntries(data))
}

/** Does what a person is told to do, once what failed is put right; a tick does the rest. */
async function letGoOn(run: Run): Promise<void> {
  dead.delete(run.id)
  const record = (await machines.read(runFile(run.id))) as RunRecord
  const hour = 60 * 60_000
  const [deadline, at] = [hour, -hour].map((from) => new Date(Date.now() + from).toISOString())
  chain.interfere(runFile(run.id), toYaml({ ...record, state: 'running', deadline, at }))
  await tick(chain)
  await vi.waitFor(() => expect(factsOf(run)).toContain('completed'), { timeout: 60_000, interval: 200 })
}

/** The run is closed, and nothing is undone. */
async function expectDone({ after, run }: Failed): Promise<void> {
  expect(factsOf(run).at(-1)).toBe('notify.failed')
  const open = (await writtenBy(run)).filter((path) => path === runFile(run.id) || isLock(path))
  expect(open.filter((path) => after[path] !== undefined)).toEqual([])
}
