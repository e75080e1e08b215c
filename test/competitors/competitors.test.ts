import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { Seen } from '../../local/feed.ts'
import type { LifecycleName } from '../../shared/lifecycles.ts'
import type { MachineAddress } from '../../shared/machines.ts'
import { definitionFile, isLock, machineFolder, runFolder } from '../../shared/paths.ts'
import type { Definition } from '../../shared/schema/definition.ts'
import { parseYaml, toYaml } from '../../shared/yaml.ts'
import { type Chain, type Run, startWith } from '../chain/harness.ts'
import { machinesOf, place } from '../chain/machines.ts'
import { again, type Competitor, openCompetitor } from './competitor.ts'

/**
 * Somebody else pushes to the branch all the time, as people and their tools do. What they pushed is there in the end, and so is
 * what the runs did; where both changed the same, the run ends with a sentence that names it.
 */

let chain: Chain
let ann: Competitor
const machines = machinesOf(() => chain)

/** Starts Drover, each function with a clone of its own, and somebody else beside it. */
async function start(settings: Record<string, string> = {}): Promise<void> {
  // The usual host lets nobody force.
  const gitSettings = { 'receive.denyNonFastForwards': 'false' }
  chain = await startWith({ apart: true, gitSettings }, { DROVER_GRACE_SECONDS: '2', ...settings })
  ann = await openCompetitor(chain.remote ?? expect.fail())
}
afterEach(async () => {
  ann.close()
  await chain.close()
})

const write = (file: string, text: string) => {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

/** Changes a machine's definition, where it is there. */
const edit = (folder: string, vm: MachineAddress, change: (definition: Definition) => object) => {
  const file = join(folder, pathOf(vm))
  if (!existsSync(file)) return
  const definition = parseYaml(readFileSync(file, 'utf8')) as Definition
  writeFileSync(file, toYaml({ ...definition, ...change(definition) }))
}

const pathOf = ({ cluster, namespace, name }: MachineAddress) => definitionFile(cluster, namespace, name)
const folderOf = ({ cluster, namespace, name }: MachineAddress) => machineFolder(cluster, namespace, name)

const data = [{ name: 'data', size: '5Gi' }]

/** What is done to a machine that there is, in this order. */
const changes: readonly [LifecycleName, object][] = [
  ['snapshot', { snapshot: 'one' }],
  ['resize', { size: { cores: 2, memory: '4Gi' } }],
  ['power', { action: 'restart' }],
  ['patch', {}],
]

interface Lived {
  run: Run
  ended: Seen
}

const provisioned = (count: number) =>
  Promise.all(
    Array.from({ length: count }, (_, index) => machines.provisioned({ namespace: `shop-${index}`, disks: data })),
  )

/** Makes machines and changes each of them twice, all at once. */
const wholeLives = (count: number) =>
  Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const vm = await machines.provisioned({ namespace: `shop-${index}`, disks: data })
      for (const [lifecycle, request] of changes.slice(index % 3, (index % 3) + 2))
        await machines.completed(lifecycle, { ...place(vm), ...request })
      return vm
    }),
  )

/** Everything that the runs did is there, once; none is in flight. */
async function expectAllOfOurs(vms: readonly MachineAddress[], runs: number): Promise<void> {
  const log = await chain.git(
    'log',
    '--format=%(trailers:key=Drover-Run,key=Drover-Step,valueonly,separator=%x20)',
    'main',
  )
  const steps = log.split('\n').filter((line) => line !== '')
  expect(steps.filter((step, at) => steps.indexOf(step) !== at)).toEqual([])
  expect(steps.filter((step) => step.endsWith(' complete'))).toHaveLength(runs)
  const files = Object.keys(await chain.files())
  expect(files.filter((path) => path.startsWith(`${runFolder}/`) || isLock(path))).toEqual([])
  for (const [index, vm] of vms.entries()) {
    const definition = await machines.definitionOf(vm)
    expect(definition.running).toBe(true)
    if (index % 3 < 2) expect(definition.size).toMatchObject({ cores: 2, memory: '4Gi' })
    if (index % 3 === 0) expect(definition.snapshots?.map(({ name }) => name)).toContain(`${vm.name}-one`)
  }
  const held = await Promise.all(vms.map(async (vm) => leasesOf(await machines.definitionOf(vm))))
  expect(new Set(held.flat()).size).toBe(held.flat().length)
  expect(held.flat().filter((file) => !files.includes(file))).toEqual([])
}

const leasesOf = ({ interfaces }: Definition) =>
  interfaces.flatMap(({ network, leases }) =>
    leases.map(({ address }) => `ipam/${network}/${address.replaceAll(':', '-')}.yaml`),
  )

/** How a run ended that may have met somebody's change: well, or with a sentence that names what was changed. */
function expectSentence({ ended }: Lived, vm: MachineAddress): void {
  const end = ended.type.split('.').at(-1)
  expect(end).toBeOneOf(['completed', 'rolledback', 'stranded'])
  if (end !== 'completed') expect(ended.data.message).toContain(vm.name)
}

/** Asks for two changes of each machine, one after the other; the second one only where the first left nothing to a person. */
async function changeAll(
  vms: readonly MachineAddress[],
  more: (vm: MachineAddress) => object = () => ({}),
): Promise<(Lived & { vm: MachineAddress })[]> {
  const lived = await Promise.all(
    vms.map(async (vm, index) => {
      const all: (Lived & { vm: MachineAddress })[] = []
      for (const round of [0, 1]) {
        const [lifecycle, request] = changes[(index + round) % changes.length] ?? expect.fail()
        all.push({ vm, ...(await machines.asked(lifecycle, { ...place(vm), ...request, ...more(vm) })) })
        if (all.at(-1)?.ended.type.endsWith('.stranded')) break
      }
      return all
    }),
  )
  return lived.flat()
}

const isAncestor = (commit: string) =>
  chain.git('merge-base', '--is-ancestor', commit, 'main').then(
    () => true,
    () => false,
  )

/** The commits that changed a machine's definition, with the run that made each; '' where it was no run. */
async function commitsOn(vm: MachineAddress, ...options: string[]): Promise<{ commit: string; run: string }[]> {
  const format = '--format=%H %(trailers:key=Drover-Run,valueonly,separator=%x20)'
  const log = await chain.git('log', ...options, format, 'main', '--', pathOf(vm))
  return log.split('\n').flatMap((line) => {
    const [commit = '', run = ''] = line.split(' ')
    return commit === '' ? [] : [{ commit, run }]
  })
}

/** What somebody writes into a definition: fields that runs change, and one of their own, by which it is known. */
const theirsBeside = ({ running, labels }: Definition, touched: string) => ({
  ...{ running: !running, size: { cores: 8, memory: '16Gi' } },
  labels: { ...labels, touched },
})

/** The commits of runs that took back what somebody had written into a definition. */
async function overruledAt(vm: MachineAddress): Promise<string[]> {
  const touchedIn = async (commit: string) =>
    ((await machines.read(pathOf(vm), commit)) as Definition).labels['touched']
  const isOverruled = async (commit: string) => (await touchedIn(commit)) !== (await touchedIn(`${commit}^`))
  const ours = (await commitsOn(vm, '--diff-filter=M')).filter(({ run }) => run !== '')
  const each = await Promise.all(ours.map(async ({ commit }) => ((await isOverruled(commit)) ? [commit] : [])))
  return each.flat()
}

async function expectAllOfTheirs(commits: readonly string[]): Promise<void> {
  expect(commits.length).toBeGreaterThan(5)
  const there = await Promise.all(commits.map(isAncestor))
  expect(commits.filter((_, index) => !there[index])).toEqual([])
}

describe('a competitor', { timeout: 600_000 }, () => {
  it('who pushes unrelated files loses nothing, and no run notices', async () => {
    await start()
    const pushing = again((round) =>
      ann.push(`theirs ${round}`, (folder) => write(join(folder, `notes/${round}.txt`), `note ${round}`)),
    )
    const vms = await wholeLives(8)
    const commits = await pushing.end()
    await chain.idle()
    await expectAllOfTheirs(commits)
    const notes = await Promise.all(commits.map((_, index) => chain.git('show', `main:notes/${index + 1}.txt`)))
    expect(notes).toEqual(commits.map((_, index) => `note ${index + 1}`))
    await expectAllOfOurs(vms, 24)
  })

  it('who changes what Drover keeps in the same files finds it kept', async () => {
    await start()
    const vms = await provisioned(10)
    const pushing = again((round) =>
      ann.push(`theirs ${round}`, (folder) => {
        for (const vm of vms)
          edit(folder, vm, ({ variables }) => ({ variables: { ...variables, [`edit${round}`]: 'x' } }))
      }),
    )
    const lived = await changeAll(vms)
    const commits = await pushing.end()
    await chain.idle()
    await expectAllOfTheirs(commits)
    for (const one of lived) expectSentence(one, one.vm)
    for (const vm of vms) {
      const { variables = {} } = await machines.definitionOf(vm)
      expect(Object.keys(variables)).toEqual(expect.arrayContaining(commits.map((_, index) => `edit${index + 1}`)))
    }
  })

  it('who changes the same lines is not overruled: the run says which file it was', async () => {
    await start()
    const vms = await provisioned(10)
    const said = new Map<MachineAddress, string>()
    const committed: MachineAddress[] = []
    // Between what one run has built and its commit, surely; of the others right after they have written the file.
    const machineOf = new Map<string, MachineAddress>()
    const isPushed = () => said.size > 0
    let held = ''
    chain.tamper.with = (name, { type, run }) => {
      if (name !== 'commit' || !type.endsWith('.built')) return undefined
      held ||= run
      return held === run && !isPushed() ? 503 : undefined
    }
    const stop = chain.feed.listen(({ type, subject, run = '' }) => {
      const vm = vms.find((one) => subject === `${one.namespace}/${one.name}`)
      if (vm) machineOf.set(run, vm)
      if (vm && type.endsWith('.committed')) committed.push(vm)
    })
    const pushing = again(async (round) => {
      const vm = isPushed() ? committed.shift() : machineOf.get(held)
      const touched = `${round}`
      const commit = await ann.push(`theirs ${round}`, (folder) => {
        if (vm) edit(folder, vm, (definition) => theirsBeside(definition, touched))
      })
      if (vm) said.set(vm, touched)
      return commit
    })
    const lived = await changeAll(vms)
    stop()
    const commits = await pushing.end()
    await chain.idle()
    await expectAllOfTheirs(commits)
    for (const one of lived) expectSentence(one, one.vm)
    const failed = lived.filter(({ ended }) => !ended.type.endsWith('.completed'))
    const says = failed.map(({ vm, ended }) => [ended.data.message, pathOf(vm)] as const)
    expect(
      says.filter(([message, path]) => message?.includes(path)),
      JSON.stringify(says),
    ).not.toEqual([])
    for (const [vm, touched] of said) {
      expect(await overruledAt(vm)).toEqual([])
      expect((await machines.definitionOf(vm)).labels).toMatchObject({ touched })
    }
  })

  it('who deletes the folders of machines has them deleted, and the runs say so', async () => {
    await start()
    const vms = await provisioned(12)
    const [victims, others] = [vms.slice(0, 6), vms.slice(6)]
    const pushing = again((round) =>
      ann.push(`theirs ${round}`, (folder) => {
        write(join(folder, `notes/${round}.txt`), `note ${round}`)
        const victim = victims[round % victims.length]
        if (victim) rmSync(join(folder, folderOf(victim)), { recursive: true, force: true })
      }),
    )
    // Who waits for a machine that has left Git waits until the time of the run is up.
    const lived = await changeAll(vms, (vm) => (victims.includes(vm) ? { deadlineMinutes: 1 } : {}))
    const commits = await pushing.end()
    await chain.idle()
    await expectAllOfTheirs(commits)
    for (const one of lived) expectSentence(one, one.vm)
    const failed = lived.filter(({ ended }) => !ended.type.endsWith('.completed'))
    expect(new Set(failed.map(({ vm }) => vm))).toEqual(new Set(victims))
    const files = Object.keys(await chain.files())
    expect(victims.filter((vm) => files.includes(pathOf(vm)))).toEqual([])
    for (const vm of others) expect(files).toContain(pathOf(vm))
    // Nor was one written back between two deletions: it came into the fleet once.
    for (const vm of victims) expect(await commitsOn(vm, '--diff-filter=A')).toHaveLength(1)
  })

  it('who writes the history anew, with nothing left out, loses nothing, and no run notices', async () => {
    await start()
    const pushing = again(async (round) => {
      await ann.push(`theirs ${round}.`, (folder) => write(join(folder, `notes/${round}.txt`), `note ${round}`))
      return ann.reword(`theirs ${round}.`)
    })
    const vms = await wholeLives(7)
    const forced = await pushing.end()
    await chain.idle()
    expect(forced.filter(Boolean).length).toBeGreaterThan(2)
    const notes = await Promise.all(forced.map((_, index) => chain.git('show', `main:notes/${index + 1}.txt`)))
    expect(notes).toEqual(forced.map((_, index) => `note ${index + 1}`))
    await expectAllOfOurs(vms, 21)
  })

  it('who takes the branch back, and with it what runs had committed, makes them end with a sentence', async () => {
    // As above.
    await start({ DROVER_DEADLINE_MINUTES: '0.5' })
    const before = await ann.look()
    const stop = chain.feed.listen(({ type }) => {
      if (type.endsWith('.create.committed')) taking ??= ann.takeBackTo(before)
    })
    let taking: Promise<void> | undefined
    const lived = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        machines.asked('provision', {
          ...{ template: 'linux-small', namespace: `shop-${index}`, name: `vm-${index}` },
          owner: { kind: 'Group', name: 'team-shop' },
        }),
      ),
    )
    stop()
    expect(taking).toBeDefined()
    await taking
    await chain.idle()
    const files = Object.keys(await chain.files())
    const isIn = ({ ended }: Lived) => files.some((path) => path.endsWith(`/${ended.data.vmName}/values.yaml`))
    expect(lived.filter((one) => !isIn(one))).not.toEqual([])
    for (const one of lived) {
      const { ended } = one
      const isThere = isIn(one)
      expect([ended.data.message, ended.type.endsWith('.completed')]).toEqual([expect.anything(), isThere])
      if (!isThere) expect(ended.data.message).toMatch(/rewritten|written anew/)
    }
    expect(files.filter((path) => path.startsWith(`${runFolder}/`))).toEqual([])
  })
})
