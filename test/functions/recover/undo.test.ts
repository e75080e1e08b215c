import { describe, expect, it } from 'vitest'
import { type Clients, undo } from '../../../functions/recover/undo.ts'
import type { Cmdb, CmdbRecord } from '../../../shared/cmdb.ts'
import { DroverError } from '../../../shared/errors.ts'
import { readRecord, recorded, trailersOf } from '../../../shared/ledger.ts'
import type { MachineView } from '../../../shared/machines.ts'
import { addressFile, applicationFile, nameFile, placementFile, runFile } from '../../../shared/paths.ts'
import { standing } from '../../../shared/standing.ts'
import type { Facts, Run } from '../../../shared/step.ts'
import { toYaml } from '../../../shared/yaml.ts'
import { smallRequest, starterFiles } from '../../examples/starter.ts'
import { type MemoryFleet, memoryFleet } from '../../fleet.ts'
import { foundOut, runWith } from '../build/runs.ts'
import { commitAs } from '../changes.ts'
import { hereOf } from '../here.ts'
import { machinesShowing, nothing } from '../machines.ts'

const values = 'vms/site-a/shop/web-01/values.yaml'
const application = applicationFile('site-a', 'shop', 'web-01')
const claims = [nameFile('web-01'), addressFile('servers', '10.20.0.17'), placementFile('web-01')]
const shared = 'namespaces/site-a/shop/namespace.yaml'
const failure = {
  task: 'create.verify',
  title: 'Wait until the machine is ready',
  message: 'Cannot bring up VM web-01',
}
const failed = (changes: Partial<Run> = {}): Run => ({ ...runWith('undo', foundOut()), failure, ...changes })

/** A fleet in which the run has claimed, and has committed the machine's files. */
async function fleetAfter(run: Run, made = [values, application, shared]): Promise<MemoryFleet> {
  const fleet = memoryFleet(starterFiles())
  const write = async (task: string, paths: string[]) => {
    const changes = paths.map((path) => ({ path, content: `${path}\n` }))
    const by = { ...run, task }
    await fleet.transact({
      subject: task,
      trailers: trailersOf(by),
      decide: async (tree) => ({ changes: await recorded(tree, by, run.facts, changes), value: undefined }),
    })
  }
  await write('name', claims)
  if (made.length > 0) await write('create.commit', made)
  return fleet
}

function cmdbNoting(): Cmdb & { asked: [CmdbRecord['name'], string][] } {
  const asked: [string, string][] = []
  return {
    asked,
    register: async ({ name }, state) => {
      asked.push([name, state])
      return { id: 'CI-17' }
    },
  }
}

const gitops = {
  repoUrl: 'https://git.example.com/fleet.git',
  branch: 'main',
  namespace: 'argocd',
  project: 'drover',
  rootApplication: 'drover-hub',
  undoMinutes: 15,
}

const clientsOf = (fleet: MemoryFleet, changes: Partial<Clients> = {}): Clients => ({
  goldenImages: { watch: () => expect.fail('it is about a machine') },
  fleet,
  machines: machinesShowing(nothing),
  rootApplication: 'drover-hub',
  gitops,
  cmdb: undefined,
  undoMinutes: 15,
  ...changes,
})

const running: MachineView = {
  ...nothing,
  application: { metadata: { name: 'web-01' } },
  machine: { metadata: { name: 'web-01' } },
  instance: { metadata: { name: 'web-01' } },
}
const stopping: MachineView = { ...nothing, instance: { metadata: { name: 'web-01' } } }

describe('undo', () => {
  it('waits until Argo CD has looked at Git since, and gives nothing back before', async () => {
    const run = failed()
    const fleet = await fleetAfter(run)
    const machines = { ...machinesShowing(nothing), settle: async () => false }
    expect(await undo(run, clientsOf(fleet, { machines }), hereOf().here)).toEqual({
      kind: 'notYet',
      message: 'Still undoing: Argo CD has not looked at Git since, for web-01',
    })
    expect((await readRecord(await fleet.head(), run.id))?.state).toBe('undoing')
  })

  it.each([
    [
      'in time keeps the deadline that its failure was told with',
      '2030-01-01T10:44:00.000Z',
      {},
      '2030-01-01T10:44:00.000Z',
    ],
    ['late gets its time all the same', '2030-01-01T10:31:00.000Z', {}, '2030-01-01T10:45:00.000Z'],
    ['past its time gets it anew', '2030-01-01T10:00:00.000Z', {}, '2030-01-01T10:45:00.000Z'],
    [
      'late gets as long as the run was given',
      '2030-01-01T10:31:00.000Z',
      { deadlineMinutes: 90 },
      '2030-01-01T12:00:00.000Z',
    ],
  ])('that begins %s', async (_, deadline, asked, wanted) => {
    const before = failed()
    const run = { ...before, deadline, request: { ...before.request, ...asked } as Run['request'] }
    const fleet = await fleetAfter(run)
    const machines = { ...machinesShowing(nothing), settle: async () => false }
    await undo(run, clientsOf(fleet, { machines }), hereOf().here)
    expect((await readRecord(await fleet.head(), run.id))?.deadline).toBe(wanted)
  })

  it('leaves the fleet as it was before the run, but for what machines share', async () => {
    const run = failed()
    const fleet = await fleetAfter(run)
    expect(await undo(run, clientsOf(fleet), hereOf().here)).toEqual({
      kind: 'succeeded',
      message: 'Everything was put back after: Cannot bring up VM web-01',
      facts: { kept: [] },
    })
    expect(await fleet.files()).toEqual({ ...starterFiles(), [shared]: `${shared}\n` })
  })

  it('puts back what a file was before', async () => {
    const run = failed()
    const fleet = memoryFleet({ [values]: 'before\n' })
    const changes = await recorded(await fleet.head(), run, run.facts, [{ path: values, content: 'after\n' }])
    fleet.put(Object.fromEntries(changes.map(({ path, content }) => [path, content])))
    await undo(run, clientsOf(fleet), hereOf().here)
    expect(await fleet.files()).toEqual({ [values]: 'before\n' })
  })

  it('gives claims back only when the cluster has followed', async () => {
    const run = failed()
    const fleet = await fleetAfter(run)
    const { here, told } = hereOf()
    const asCommitted: (string | undefined)[] = []
    const look = async () => {
      const tree = await fleet.head()
      asCommitted.push(await tree.read(values), await tree.read(claims[1] ?? ''))
    }
    const machines = machinesShowing(running, look, stopping, nothing)
    const cmdb = cmdbNoting()
    expect(await undo(run, clientsOf(fleet, { machines, cmdb }), here)).toMatchObject({ kind: 'succeeded' })
    expect(asCommitted).toEqual([undefined, `${claims[1]}\n`])
    expect(told).toEqual([
      'site-a still has Application, VirtualMachine, VirtualMachineInstance of web-01',
      'site-a still has VirtualMachineInstance of web-01',
    ])
    expect(machines.refreshed).toEqual(['drover-hub', 'drover-hub'])
    expect(cmdb.asked).toEqual([['web-01', 'retired']])
    expect(fleet.commits.map(({ trailers }) => trailers.step)).toEqual(['name', 'create.commit', 'undo', 'undone'])
  })

  it('answers "not yet" while the cluster still has the machine, and goes on at the next delivery', async () => {
    const run = failed()
    const fleet = await fleetAfter(run)
    const { here, endPatience } = hereOf()
    const cmdb = cmdbNoting()
    const waiting = clientsOf(fleet, { machines: machinesShowing(stopping, endPatience), cmdb })
    expect(await undo(run, waiting, here)).toEqual({
      kind: 'notYet',
      message: 'Still undoing: site-a still has VirtualMachineInstance of web-01',
    })
    expect(cmdb.asked).toEqual([])
    expect((await readRecord(await fleet.head(), run.id))?.state).toBe('undoing')
    expect(await undo(run, clientsOf(fleet), hereOf().here)).toMatchObject({ kind: 'succeeded' })
    expect(await fleet.files()).not.toHaveProperty(claims[0] ?? '')
  })

  it.each<[string, Facts]>([
    ['before it has a name', { ...foundOut(), name: undefined, cluster: undefined } as never],
    ['before it has a cluster', { ...foundOut(), cluster: undefined } as never],
  ])('asks no cluster and no CMDB about a run that failed %s', async (_, facts) => {
    const run = failed({ facts, failure: { task: 'address', title: 'Address', message: 'Cannot do it' } })
    const fleet = await fleetAfter(run, [])
    const cmdb = cmdbNoting()
    const machines = machinesShowing()
    expect(await undo(run, clientsOf(fleet, { machines, cmdb }), hereOf().here)).toMatchObject({ kind: 'succeeded' })
    expect(await fleet.files()).toEqual(starterFiles())
    expect(cmdb.asked).toEqual([])
  })

  it('retires a machine that may be planned: its record does not know yet where it was placed', async () => {
    const facts = { ...foundOut(), cluster: undefined } as never
    const run = failed({ facts, failure: { task: 'place', title: 'Place', message: 'Cannot go on' } })
    const fleet = await fleetAfter(run, [])
    const cmdb = cmdbNoting()
    expect(await undo(run, clientsOf(fleet, { cmdb }), hereOf().here)).toMatchObject({ kind: 'succeeded' })
    expect(cmdb.asked).toHaveLength(1)
  })

  it('has nothing to do for a run that wrote nothing, but to note that it has ended: a late event begins nothing', async () => {
    const fleet = memoryFleet(starterFiles())
    const run = failed({ facts: {} })
    expect(await standing(await fleet.head(), run, fleet)).toBeUndefined()
    const first = await undo(run, clientsOf(fleet), hereOf().here)
    expect(first).toMatchObject({ kind: 'succeeded', message: 'Nothing was changed: Cannot bring up VM web-01' })
    expect(await standing(await fleet.head(), run, fleet)).toBe('ended')
    expect(await undo(run, clientsOf(fleet), hereOf().here)).toEqual(first)
    expect(fleet.commits).toMatchObject([
      { subject: `End provision run ${run.id} before it has begun`, trailers: { step: 'undone' }, changes: {} },
    ])
  })

  it('looks again where a late event begins the run at this very moment', async () => {
    const fleet = memoryFleet(starterFiles())
    const run = failed({ facts: {} })
    const begun = await recorded(await fleet.head(), { ...run, task: 'name' }, {}, [])
    const late: MemoryFleet = {
      ...fleet,
      async transact(transaction) {
        if (transaction.trailers.step === 'undone')
          fleet.put(Object.fromEntries(begun.map(({ path, content }) => [path, content])))
        return fleet.transact(transaction)
      },
    }
    expect(await undo(run, clientsOf(late), hereOf().here)).toEqual({
      kind: 'notYet',
      message: `Cannot undo run ${run.id} yet: it has begun this very moment`,
    })
    expect(fleet.commits).toEqual([])
  })

  it.each<[string, Partial<Run>]>([
    ['request that was refused', { failure: { ...failure, task: 'validate' } }],
    ['plan', { request: { ...smallRequest(), plan: true } }],
  ])('leaves no trace of a %s', async (_, change) => {
    const fleet = memoryFleet(starterFiles())
    expect(await undo(failed({ facts: {}, ...change }), clientsOf(fleet), hereOf().here)).toMatchObject({
      message: 'Nothing was changed: Cannot bring up VM web-01',
    })
    expect(fleet.commits).toEqual([])
  })

  it('does nothing for a request that is refused when it comes again after its run has ended', async () => {
    const run = failed()
    const fleet = await fleetAfter(run)
    await undo(run, clientsOf(fleet), hereOf().here)
    const before = fleet.commits.length
    const again = { ...run, failure: { ...failure, task: 'validate' } }
    expect(await undo(again, clientsOf(fleet), hereOf().here)).toEqual({
      kind: 'ignored',
      message: `Run ${run.id} has ended: its request was refused when it came again`,
    })
    expect(fleet.commits).toHaveLength(before)
  })

  it('needs no mark for a run that did nothing where the branch takes no push: nothing begins there', async () => {
    const refusing = (reason: 'refused' | 'busy'): MemoryFleet => ({
      ...memoryFleet(starterFiles()),
      transact: async (transaction) => {
        if (transaction.trailers.step === 'undone')
          throw new DroverError(reason, 'Cannot push: the branch is protected')
        return memoryFleet(starterFiles()).transact(transaction)
      },
    })
    const run = failed({ facts: {} })
    expect(await undo(run, clientsOf(refusing('refused')), hereOf().here)).toMatchObject({
      kind: 'succeeded',
      message: 'Nothing was changed: Cannot bring up VM web-01',
    })
    await expect(undo(run, clientsOf(refusing('busy')), hereOf().here)).rejects.toThrow('the branch is protected')
  })

  it('takes the release of a machine that was deprovisioned for no undo', async () => {
    const fleet = memoryFleet(starterFiles())
    const run = failed({ lifecycle: 'deprovision', failure: { ...failure, task: 'absence' } })
    for (const task of ['locate', 'release'])
      await fleet.transact({
        subject: task,
        trailers: trailersOf({ ...run, task }),
        decide: async () => ({ changes: [], value: undefined, mark: true }),
      })
    expect(await undo(run, clientsOf(fleet), hereOf().here)).toEqual({
      kind: 'ignored',
      message: `Run ${run.id} was closed by hand: its failure comes too late`,
    })
  })

  it('answers the same at every delivery, and changes nothing twice', async () => {
    const machine = { ...foundOut().machine, disks: [{ name: 'db', size: '10Gi' }] }
    const run = failed({ facts: foundOut({ machine: machine as never }) })
    const fleet = await fleetAfter(run)
    const again = () => undo(run, clientsOf(fleet, { machines: machinesShowing(nothing) }), hereOf().here)
    const [first, second] = await Promise.all([again(), again()])
    expect(second).toEqual(first)
    expect(await again()).toEqual(first)
    expect(fleet.commits).toHaveLength(4)
  })

  it('names the data disks that stay', async () => {
    const machine = { ...foundOut().machine, disks: [{ name: 'db', size: '10Gi' }] }
    const run = failed({ facts: foundOut({ machine: machine as never }) })
    const kept = ['shop/web-01-data-db-4f3104']
    expect(await undo(run, clientsOf(await fleetAfter(run)), hereOf().here)).toEqual({
      kind: 'succeeded',
      message: `Everything was put back after: Cannot bring up VM web-01. Kept on site-a, because data disks are never removed: ${kept}`,
      facts: { kept },
    })
    const early = await undo(run, clientsOf(await fleetAfter(run, [])), hereOf().here)
    expect(early).toMatchObject({ facts: { kept: [] } })
  })

  it.each([values, claims[0] ?? ''])('strands when somebody else changed %s, and puts nothing back', async (path) => {
    const run = failed()
    const fleet = await fleetAfter(run)
    fleet.put({ [path]: 'mine\n' })
    const before = await fleet.files()
    const message = `Cannot undo run ${run.id}: ${path} was changed by somebody else after this run wrote it. Look at its history, put it right by hand, and remove ${runFile(run.id)}`
    expect(await undo(run, clientsOf(fleet), hereOf().here)).toEqual({ kind: 'stranded', message })
    expect(await readRecord(await fleet.head(), run.id)).toMatchObject({ state: 'stranded', message })
    expect({ ...(await fleet.files()), [runFile(run.id)]: '' }).toEqual({ ...before, [runFile(run.id)]: '' })
    expect(await undo(run, clientsOf(fleet), hereOf().here)).toEqual({ kind: 'stranded', message })
    expect(fleet.commits).toHaveLength(3)
  })

  it('strands when somebody else changed a file between two commits of the run, for it would take that back', async () => {
    const run = failed()
    const fleet = memoryFleet({ [values]: 'before\n' })
    const write = async (content: string) => {
      const changes = await recorded(await fleet.head(), run, run.facts, [{ path: values, content }])
      fleet.put(Object.fromEntries(changes.map(({ path, content }) => [path, content])))
    }
    await write('one\n')
    fleet.put({ [values]: 'theirs\n' })
    await write('theirs, and two\n')
    expect(await undo(run, clientsOf(fleet), hereOf().here)).toMatchObject({
      kind: 'stranded',
      message: expect.stringContaining(`${values} was changed by somebody else`),
    })
    expect(await fleet.files()).toMatchObject({ [values]: 'theirs, and two\n' })
  })

  it('says that the history was rewritten where nothing of what the run had committed is in it', async () => {
    const fleet = memoryFleet(starterFiles())
    const cmdb = cmdbNoting()
    expect(await undo(failed(), clientsOf(fleet, { cmdb }), hereOf().here)).toMatchObject({
      kind: 'succeeded',
      message:
        'Nothing is left to be put back, for the history of the branch was rewritten, after: Cannot bring up VM web-01',
    })
    expect(cmdb.asked).toEqual([['web-01', 'retired']])
    const plan = failed()
    const asked = { ...plan, request: { ...plan.request, plan: true } }
    expect(await undo(asked, clientsOf(fleet), hereOf().here)).toMatchObject({
      message: 'Nothing was changed: Cannot bring up VM web-01',
    })
  })

  it('tells of the machine that has left the fleet, not of an address that somebody else has got since', async () => {
    const address = addressFile('servers', '10.20.0.17')
    const fleet = memoryFleet({ [address]: 'before\n' })
    const removed = failed({ lifecycle: 'deprovision', task: 'remove.commit' })
    await commitAs(removed, fleet)
    await commitAs({ ...removed, task: 'release' }, fleet, [{ path: address, content: null }])
    fleet.put({ [address]: 'of another machine\n' })
    expect(await undo(removed, clientsOf(fleet), hereOf().here)).toMatchObject({
      kind: 'stranded',
      message: expect.stringContaining('web-01 was taken away already, see archive/'),
    })
    expect((await fleet.files())[address]).toBe('of another machine\n')
  })

  it('strands when somebody changes a claim while the cluster follows', async () => {
    const run = failed()
    const fleet = await fleetAfter(run)
    const machines = machinesShowing(stopping, () => fleet.put({ [claims[0] ?? '']: 'mine\n' }), nothing)
    expect(await undo(run, clientsOf(fleet, { machines }), hereOf().here)).toMatchObject({ kind: 'stranded' })
    expect(await fleet.files()).toHaveProperty(claims[1] ?? '')
  })

  it('gives nothing back of a run that another delivery has left to a person meanwhile', async () => {
    const run = failed()
    const fleet = await fleetAfter(run)
    const strandIt = async () => {
      const record = await readRecord(await fleet.head(), run.id)
      fleet.put({ [runFile(run.id)]: toYaml({ ...record, state: 'stranded', message: 'a person must look' }) })
    }
    const machines = machinesShowing(stopping, strandIt, nothing)
    expect(await undo(run, clientsOf(fleet, { machines }), hereOf().here)).toEqual({
      kind: 'stranded',
      message: 'a person must look',
    })
    for (const claim of claims) expect(await fleet.files()).toHaveProperty([claim])
    expect(await readRecord(await fleet.head(), run.id)).toMatchObject({ state: 'stranded' })
  })

  it('puts back over an unrelated commit of somebody else', async () => {
    const run = failed()
    const fleet = await fleetAfter(run)
    fleet.interfere({ 'other.yaml': 'x' })
    expect(await undo(run, clientsOf(fleet), hereOf().here)).toMatchObject({ kind: 'succeeded' })
    expect(await fleet.files()).toEqual({ ...starterFiles(), [shared]: `${shared}\n`, 'other.yaml': 'x' })
  })

  it('never touches a run that is complete', async () => {
    const run = failed()
    const fleet = await fleetAfter(run)
    const closing = { ...run, task: 'complete' }
    await fleet.transact({
      subject: 'close',
      trailers: trailersOf(closing),
      decide: async () => ({ changes: [{ path: runFile(run.id), content: null }], value: undefined }),
    })
    const before = await fleet.files()
    expect(await undo(run, clientsOf(fleet), hereOf().here)).toEqual({
      kind: 'ignored',
      message: `Run ${run.id} is complete: its failure comes too late`,
    })
    expect(await fleet.files()).toEqual(before)
  })

  it('does not begin again when only the requester could not be told', async () => {
    const run = failed({ failure: { task: 'notify', title: 'Feedback', message: 'Cannot tell' } })
    const fleet = memoryFleet(starterFiles())
    expect(await undo(run, clientsOf(fleet), hereOf().here)).toMatchObject({ kind: 'ignored' })
  })

  it('keeps the claims while the CMDB or the cluster cannot be asked', async () => {
    const run = failed()
    const fleet = await fleetAfter(run)
    const cmdb: Cmdb = { register: () => Promise.reject(new DroverError('broken', 'Cannot reach the CMDB')) }
    await expect(undo(run, clientsOf(fleet, { cmdb }), hereOf().here)).rejects.toThrow('Cannot reach the CMDB')
    const away = { ...machinesShowing(), watch: () => neverAsked() }
    await expect(undo(run, clientsOf(fleet, { machines: away }), hereOf().here)).rejects.toThrow('Cannot read')
    expect(await fleet.files()).toHaveProperty(claims[0] ?? '')
  })
})

async function* neverAsked(): AsyncGenerator<MachineView> {
  yield* []
  throw new DroverError('broken', 'Cannot read a cluster')
}
