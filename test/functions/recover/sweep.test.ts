import { describe, expect, it } from 'vitest'
import { sweep } from '../../../functions/recover/sweep.ts'
import { DroverError } from '../../../shared/errors.ts'
import { mostBytes } from '../../../shared/file-size.ts'
import { toRemoval } from '../../../shared/gitops/removal.ts'
import { type RunRecord, readRecord, recorded, trailersOf } from '../../../shared/ledger.ts'
import { archiveFolder, definitionFile, imageFile, nameFile, runFile } from '../../../shared/paths.ts'
import type { Run, Standstill } from '../../../shared/step.ts'
import { toYaml } from '../../../shared/yaml.ts'
import { runOf, starterFiles } from '../../examples/starter.ts'
import { type MemoryFleet, memoryFleet } from '../../fleet.ts'
import { build, golden } from '../../shared/images/golden.ts'
import { linuxServer } from '../../shared/kubevirt/definitions.ts'
import { foundOut, runWith } from '../build/runs.ts'
import { changing, commitAs, fleetHaving } from '../changes.ts'

const minutes = (count: number) => new Date(Date.parse('2030-01-01T10:30:00.000Z') + count * 60_000)
const settings = { quietMilliseconds: 10 * 60_000 }
const values = definitionFile('site-a', 'shop', 'web-01')
const marks = { correlationid: 'order-7' }

/** A fleet in which a run has made its commits up to this task's, at 10:30; its deadline is 11:00. */
async function fleetAfter(task: string, facts = foundOut(), record: Partial<RunRecord> = {}): Promise<MemoryFleet> {
  const fleet = memoryFleet(starterFiles())
  const run: Run = { ...runWith(task, facts), marks }
  await write(fleet, run, { [task === 'create.commit' ? values : nameFile('web-01')]: toYaml(linuxServer()) })
  const written = await readRecord(await fleet.head(), run.id)
  fleet.put({ [runFile(run.id)]: toYaml({ ...written, ...record }) })
  return fleet
}

const write = (fleet: MemoryFleet, run: Run, files: Record<string, string | null>) =>
  fleet.transact({
    subject: run.task,
    trailers: trailersOf(run),
    decide: async (tree) => {
      const changes = Object.entries(files).map(([path, content]) => ({ path, content }))
      return { changes: await recorded(tree, run, run.facts, changes), value: undefined }
    },
  })

const { id } = runWith('name', {})
const failure = { task: 'check', title: 'Check the machine', message: 'Cannot accept VM web-01' }
const only = (standing: Standstill[]): Standstill => {
  expect(standing).toHaveLength(1)
  return standing[0] as Standstill
}

describe('a tick', () => {
  it.each<[string, string, number, Partial<RunRecord>]>([
    ['was heard of a moment ago', 'name', 9.9, {}],
    ['was made to go on once, and twice the time is not over', 'name', 19.9, { resumed: 1 }],
    ['is stranded, however late', 'name', 500, { state: 'stranded', message: 'look' }],
    ['is being undone and was heard of a moment ago', 'create.commit', 9, { state: 'undoing', failure }],
    ['is at its deadline just now', 'name', 30.5, { at: minutes(29).toISOString() }],
    ['is late, and was told so a moment ago', 'name', 32, { at: minutes(31.5).toISOString() }],
  ])('leaves a run alone that %s', async (_, task, when, record) => {
    const fleet = await fleetAfter(task, foundOut(), record)
    const before = await fleet.files()
    expect(await sweep(fleet, settings, minutes(when))).toMatchObject({ standing: [], unreadable: [], problems: [] })
    expect(await fleet.files()).toEqual(before)
  })

  it.each<[string, string]>([
    ['name', 'name'],
    ['address', 'address'],
    ['create.commit', 'create.commit'],
    // It waits: its commit is its beginning.
    ['place', 'address'],
  ])(
    'says again what was said before a run fell silent after its commit of "%s": the end of "%s"',
    async (last, said) => {
      const fleet = await fleetAfter(last)
      const { run, outcome } = only((await sweep(fleet, settings, minutes(10))).standing)
      expect(outcome).toMatchObject({ kind: 'succeeded' })
      expect(outcome.message).toMatch(
        /^Going on after ".*": nothing was heard of the run since 2030-01-01T10:30:00.000Z$/,
      )
      const same = runWith(said, foundOut())
      expect(run).toMatchObject({ ...same, fact: said, marks })
    },
  )

  it('adds the definition of a machine that the run has taken away, as it archived it', async () => {
    const server = linuxServer({ running: false })
    const fleet = await fleetHaving(server)
    const run = changing('deprovision', {}, 'remove.commit', { facts: { name: 'web-01' } })
    await commitAs(
      run,
      fleet,
      await toRemoval(server, await fleet.head(), { run: run.id, since: run.since, claims: {} }),
    )
    const { outcome } = only((await sweep(fleet, settings, minutes(10))).standing)
    expect(outcome).toMatchObject({ kind: 'succeeded', facts: { definition: server } })
  })

  it('adds what Git holds: the definition as the run wrote it, whoever changed it since, and the commit', async () => {
    const fleet = await fleetAfter('create.commit')
    const [commit] = fleet.commits
    fleet.put({ [values]: 'mine\n' })
    const { outcome } = only((await sweep(fleet, settings, minutes(10))).standing)
    expect(outcome.facts).toEqual({ definition: linuxServer(), revision: commit?.revision })
  })

  it('adds the definition of a machine that the run has archived, for its disks are still to go', async () => {
    const run: Run = {
      ...runWith('remove.commit', foundOut()),
      lifecycle: 'deprovision',
      request: { namespace: 'shop', name: 'web-01' },
      marks,
    }
    const fleet = memoryFleet({ ...starterFiles(), [values]: toYaml(linuxServer()) })
    const archived = `${archiveFolder('2030-01-01T10:00:00Z', 'web-01', run.id)}/values.yaml`
    await write(fleet, run, { [archived]: toYaml(linuxServer()), [values]: null })
    const { run: resumed, outcome } = only((await sweep(fleet, settings, minutes(10))).standing)
    expect(resumed.task).toBe('remove.commit')
    expect(outcome.facts?.definition).toEqual(linuxServer())
  })

  it.each<[string, string, string]>([
    ['name', 'address', 'Generate and reserve the VM name'],
    ['place', 'place', 'Register IP, DNS and MAC'],
    ['create.commit', 'create.verify', 'Push to Git'],
  ])('fails a run whose time was up after its commit of "%s" at the next task, "%s"', async (last, task, title) => {
    const { run, outcome } = only((await sweep(await fleetAfter(last), settings, minutes(31))).standing)
    expect(run.task).toBe(task)
    expect(outcome).toEqual({
      kind: 'refused',
      message: `Cannot go on after "${title}": nothing was heard of the run since 2030-01-01T10:30:00.000Z, and its time was up at 2030-01-01T11:00:00.000Z`,
      facts: {},
    })
  })

  it.each([10, 400])('says again why a run failed whose undo fell silent, after %i minutes', async (when) => {
    const deadline = minutes(15).toISOString()
    const fleet = await fleetAfter('create.commit', foundOut(), { state: 'undoing', failure, deadline })
    const { run, outcome } = only((await sweep(fleet, settings, minutes(when))).standing)
    expect(run).toMatchObject({ task: 'check', failure, deadline })
    expect(outcome).toEqual({ kind: 'refused', message: failure.message, facts: {} })
  })

  it('notes in one commit that it made a run go on, which is none of the run’s tasks', async () => {
    const fleet = await fleetAfter('create.commit')
    const before = await readRecord(await fleet.head(), id)
    await sweep(fleet, settings, minutes(12))
    expect(await readRecord(await fleet.head(), id)).toEqual({ ...before, at: minutes(12).toISOString(), resumed: 1 })
    expect(fleet.commits.at(-1)).toMatchObject({
      subject: 'Go on with provision of web-01: nothing was heard of it since 2030-01-01T10:30:00.000Z',
      trailers: { run: id, step: 'resume', requester: 'ann@example.com' },
    })
  })

  it('waits twice as long each time that a run is silent again, and as before once it has made a commit', async () => {
    const fleet = await fleetAfter('name', foundOut(), { deadline: minutes(1440).toISOString() })
    const counts: number[] = []
    for (const when of [10, 29, 30, 69, 70]) counts.push((await sweep(fleet, settings, minutes(when))).standing.length)
    expect(counts).toEqual([1, 0, 1, 0, 1])
    await write(fleet, { ...runWith('address', foundOut()), at: minutes(15).toISOString() }, { 'x.yaml': 'x\n' })
    expect(await readRecord(await fleet.head(), id)).not.toHaveProperty('resumed')
    expect((await sweep(fleet, settings, minutes(25))).standing).toHaveLength(1)
  })

  it('waits sixteen times as long at most', async () => {
    const fleet = await fleetAfter('name', foundOut(), { deadline: minutes(1440).toISOString(), resumed: 9 })
    expect((await sweep(fleet, settings, minutes(159))).standing).toEqual([])
    expect((await sweep(fleet, settings, minutes(160))).standing).toHaveLength(1)
  })

  it('tells a run that its time is up within moments, however often it was made to go on before', async () => {
    const fleet = await fleetAfter('name', foundOut(), { at: minutes(25).toISOString(), resumed: 7 })
    const counts: number[] = []
    // Its time is up after 30 minutes, and again it may take twice as long each time until somebody has heard it.
    for (const when of [30.5, 31, 32.5, 33, 36.5, 37]) {
      const { standing } = await sweep(fleet, settings, minutes(when))
      counts.push(standing.length)
      for (const { outcome } of standing) expect(outcome.message).toContain('its time was up at')
    }
    expect(counts).toEqual([0, 1, 0, 1, 0, 1])
  })

  it('that comes at the same time as another makes a run go on once', async () => {
    const fleet = await fleetAfter('name')
    const both = await Promise.all([sweep(fleet, settings, minutes(10)), sweep(fleet, settings, minutes(10.1))])
    expect(both.flatMap(({ standing }) => standing)).toHaveLength(1)
    expect(fleet.commits).toHaveLength(2)
  })

  it.each<[string, (record: RunRecord) => Record<string, string | null>]>([
    ['ends', () => ({ [runFile(id)]: null })],
    ['makes a commit', (record) => ({ [runFile(id)]: toYaml({ ...record, at: minutes(9).toISOString() }) })],
    ['is stranded', (record) => ({ [runFile(id)]: toYaml({ ...record, state: 'stranded' }) })],
  ])('says nothing of a run that %s at the same moment', async (_, change) => {
    const fleet = await fleetAfter('name')
    const record = (await readRecord(await fleet.head(), id)) as RunRecord
    fleet.interfere(change(record))
    expect((await sweep(fleet, settings, minutes(10))).standing).toEqual([])
    expect(fleet.commits).toHaveLength(1)
  })

  it('makes so many runs go on and no more, those first that were silent longest', async () => {
    const fleet = await fleetAfter('name')
    const record = (await readRecord(await fleet.head(), id)) as RunRecord
    const runs = [5, 1, 3, 2, 4].map((at) => ({ ...record, run: `run-${at}`, at: minutes(-at).toISOString() }))
    fleet.put(Object.fromEntries(runs.map((one) => [runFile(one.run), toYaml(one)])))
    const ticks = [0, 1, 2].map(async () => sweep(fleet, { ...settings, most: 3 }, minutes(10)))
    const [first] = await Promise.all(ticks)
    expect(first?.standing.map(({ run }) => run.id)).toEqual(['run-5', 'run-4', 'run-3'])
    const second = await sweep(fleet, { ...settings, most: 3 }, minutes(10))
    expect(second.standing.map(({ run }) => run.id)).toEqual(['run-2', 'run-1', id])
  })

  it.each<[string, string, string]>([
    ['no YAML', ': :\n  - {', 'Cannot read the record of run x'],
    ['more than any', 'x'.repeat(3 * mostBytes), `Cannot read runs/x.yaml: it is ${3 * mostBytes} bytes long`],
    ['no record', '[]\n', 'Cannot go on with runs/x.yaml: it holds no record'],
    ['nothing', 'null\n', 'Cannot go on with runs/x.yaml: it holds no record'],
    ['a word', 'word\n', 'Cannot go on with runs/x.yaml: it holds no record'],
    ['the record of another run', toYaml({ run: 'y' }), 'it is named after another run'],
    ['a task that there is not', toYaml({ task: 'invented' }), 'it names no task that a run goes on after'],
    ['a lifecycle that there is not', toYaml({ lifecycle: 'life' }), 'it names no task that a run goes on after'],
    ['the last task', toYaml({ lifecycle: 'provision', task: 'notify' }), 'it names no task that a run goes on after'],
    ['a state that there is not', toYaml({ state: 'asleep' }), 'it has no state'],
    ['an undo of nothing', toYaml({ state: 'undoing' }), 'it does not say what failed'],
    ['no times', toYaml({ at: 'yesterday' }), 'its since is no time; its deadline is no time; its at is no time'],
    ['no facts', toYaml({ facts: null, request: {}, wrote: {} }), 'it lacks facts'],
    ['no request', toYaml({ facts: {}, request: 7, wrote: {} }), 'it lacks request'],
    ['nothing of what it wrote', toYaml({ facts: {}, request: {} }), 'it lacks wrote'],
  ])('passes over a file that holds %s, says so, and makes the others go on', async (_, text, problem) => {
    const fleet = await fleetAfter('name')
    fleet.put({ [runFile('x')]: text })
    const { standing, unreadable, problems } = await sweep(fleet, settings, minutes(10))
    expect(only(standing).run.id).toBe(id)
    expect(unreadable).toEqual([expect.stringContaining(problem)])
    expect(problems).toEqual([])
  })

  it('makes the others go on where what one has written cannot be read any more', async () => {
    const fleet = await fleetAfter('name')
    const record = await readRecord(await fleet.head(), id)
    const facts = { name: 'web-02', cluster: 'site-a' }
    const wrote = { [definitionFile('site-a', 'shop', 'web-02')]: { before: null, after: 'f'.repeat(40) } }
    fleet.put({ [runFile('x')]: toYaml({ ...record, run: 'x', facts, wrote }) })
    const { standing, unreadable } = await sweep(fleet, settings, minutes(10))
    expect(only(standing).run.id).toBe(id)
    expect(unreadable).toEqual([expect.stringContaining('Cannot go on with runs/x.yaml: ')])
  })

  it('takes no record for unreadable because the branch takes no push', async () => {
    const fleet = await fleetAfter('name')
    const transact = () => Promise.reject(new DroverError('broken', 'the branch is protected'))
    const { standing, unreadable, problems } = await sweep({ ...fleet, transact }, settings, minutes(10))
    expect([standing, unreadable]).toEqual([[], []])
    expect(problems).toEqual([`Cannot go on with ${runFile(id)}: the branch is protected`])
  })

  it('says which runs are open, whether or not they are to go on', async () => {
    const fleet = await fleetAfter('name')
    const { open } = await sweep(fleet, settings, minutes(1))
    expect(open).toMatchObject([{ lifecycle: 'provision', state: 'running', deadline: '2030-01-01T11:00:00.000Z' }])
  })

  it('says how many addresses each network has left, by family, and passes over one that cannot be read', async () => {
    const attachment = { namespace: 'default', name: 'vlan' }
    const network = (...subnets: object[]) =>
      toYaml({ description: 'both families', attachment, subnets, domain: 'example.com' })
    const fleet = memoryFleet({
      'ipam/both/network.yaml': network({ cidr: 'fd00::/126' }, { cidr: '10.0.0.0/29' }, { cidr: '10.0.1.0/29' }),
      'ipam/both/10.0.0.3.yaml': 'name: web-01\n',
      'ipam/odd/network.yaml': 'subnets: none\n',
      'ipam/large/network.yaml': `description: ${'x'.repeat(3 * mostBytes)}\n`,
    })
    const { networks, problems } = await sweep(fleet, settings, minutes(0))
    expect(networks).toEqual([
      { network: 'both', family: 4, free: 11 },
      { network: 'both', family: 6, free: 3 },
    ])
    expect(problems).toEqual([])
  })

  it('adds the golden image as the run wrote it, whoever changed it since', async () => {
    const image = golden({ work: { build: build(), deadlineSeconds: 60 } })
    const run = runOf({
      lifecycle: 'golden-image',
      task: 'import.commit',
      request: { namespace: 'golden', image: 'rhel9' } as Run['request'],
      facts: { name: 'rhel9', cluster: 'site-a' },
    })
    const fleet = memoryFleet()
    await write(fleet, run, { [imageFile('rhel9')]: toYaml(image) })
    const [commit] = fleet.commits
    fleet.put({ [imageFile('rhel9')]: 'mine\n' })
    const { outcome } = only((await sweep(fleet, settings, minutes(10))).standing)
    expect(outcome).toEqual({
      kind: 'succeeded',
      message: 'Going on after "Push to Git": nothing was heard of the run since 2030-01-01T10:30:00.000Z',
      facts: { image, revision: commit?.revision },
    })
  })

  it('finds nothing to do where no run is in flight', async () => {
    expect(await sweep(memoryFleet(), settings, minutes(10))).toMatchObject({
      standing: [],
      unreadable: [],
      problems: [],
    })
  })
})
