import { describe, expect, it } from 'vitest'
import { type Clients, undo } from '../../../functions/recover/undo.ts'
import type { Cmdb } from '../../../shared/cmdb.ts'
import { recorded, trailersOf } from '../../../shared/ledger.ts'
import { addressFile, nameFile, placementFile, runFile } from '../../../shared/paths.ts'
import type { Facts, Failure, Run } from '../../../shared/step.ts'
import { starterFiles } from '../../examples/starter.ts'
import { type MemoryFleet, memoryFleet } from '../../fleet.ts'
import { foundOut, runWith } from '../build/runs.ts'
import { hereOf } from '../here.ts'
import { machinesShowing, nothing } from '../machines.ts'

const values = 'vms/site-a/shop/web-01/values.yaml'
const claims = [nameFile('web-01'), addressFile('servers', '10.20.0.17'), placementFile('web-01')]
const failureOf = (task: string): Failure => ({ task, title: task, message: `Cannot do ${task}` })
const failed = (task: string, facts: Facts = foundOut()): Run => ({
  ...runWith('undo', facts),
  failure: failureOf(task),
})

/** A fleet in which a run has claimed, and has pushed a machine. */
async function fleetAfter(run: Run): Promise<MemoryFleet> {
  const fleet = memoryFleet(starterFiles())
  const write = (task: string, paths: string[], facts: Facts) =>
    fleet.transact({
      subject: task,
      trailers: trailersOf({ ...run, task }),
      decide: async (tree) => {
        const changes = paths.map((path) => ({ path, content: `${path}\n` }))
        return { changes: await recorded(tree, { ...run, task }, facts, changes), value: undefined }
      },
    })
  await write('name', claims, foundOut())
  await write('create.commit', [values], foundOut())
  return fleet
}

/** Closes a run's record as a step, or a person, does. */
const close = (fleet: MemoryFleet, run: Run, task: string) =>
  fleet.transact({
    subject: task,
    trailers: trailersOf({ ...run, task }),
    decide: async () => ({ changes: [{ path: runFile(run.id), content: null }], value: undefined }),
  })

const clientsOf = (fleet: MemoryFleet, changes: Partial<Clients> = {}): Clients => ({
  goldenImages: { watch: () => expect.fail('it is about a machine') },
  fleet,
  machines: machinesShowing(nothing),
  rootApplication: 'drover-hub',
  undoMinutes: 15,
  gitops: {
    repoUrl: 'https://git.example.com/fleet.git',
    branch: 'main',
    namespace: 'argocd',
    project: 'drover',
    rootApplication: 'drover-hub',
  },
  cmdb: undefined,
  ...changes,
})

describe('undo', () => {
  it('leaves a run in flight alone when only a second request of the same id was found invalid', async () => {
    const run = failed('validate', {})
    const fleet = await fleetAfter(run)
    const before = await fleet.files()
    expect(await undo(run, clientsOf(fleet), hereOf().here)).toEqual({
      kind: 'ignored',
      message: `Run ${run.id} goes on: it is another delivery of its request that was refused`,
    })
    expect(await fleet.files()).toEqual(before)
  })

  it('waits for the machine that another delivery has made, although the one that failed knew no cluster', async () => {
    const { cluster: _, ...facts } = foundOut()
    const run = failed('create.verify', facts)
    const fleet = await fleetAfter(run)
    const running = { ...nothing, instance: { metadata: { name: 'web-01' } } }
    const asked: string[] = []
    const cmdb: Cmdb = {
      register: async ({ cluster }, state) => {
        asked.push(`${state} on ${cluster}`)
        return { id: 'CI-17' }
      },
    }
    const { here, endPatience, told } = hereOf()
    const machines = machinesShowing(running, async () => endPatience())
    expect(await undo(run, clientsOf(fleet, { machines, cmdb }), here)).toMatchObject({ kind: 'notYet' })
    expect(told).toEqual(['site-a still has VirtualMachineInstance of web-01'])
    expect(await fleet.files()).toHaveProperty(claims[1] ?? '')
    await undo(run, clientsOf(fleet, { cmdb }), hereOf().here)
    expect(asked).toEqual(['retired on site-a'])
  })

  it('stays stranded: what a person has to look at is not put back behind their back', async () => {
    const run = failed('create.verify')
    const fleet = await fleetAfter(run)
    const [blob] = [(await fleet.files())[values] ?? '']
    fleet.put({ [values]: 'mine\n' })
    const first = await undo(run, clientsOf(fleet), hereOf().here)
    expect(first).toMatchObject({ kind: 'stranded' })
    fleet.put({ [values]: blob })
    expect(await undo(run, clientsOf(fleet), hereOf().here)).toEqual(first)
    expect(await fleet.files()).toHaveProperty(values)
  })

  it('says nothing of a stranded run that a person has closed', async () => {
    const run = failed('create.verify')
    const fleet = await fleetAfter(run)
    fleet.put({ [runFile(run.id)]: null })
    expect(await undo(run, clientsOf(fleet), hereOf().here)).toEqual({
      kind: 'ignored',
      message: `Run ${run.id} was closed by hand: its failure comes too late`,
    })
  })

  it('says that a machine is complete where only the answer that said so was lost', async () => {
    const run = failed('complete')
    const fleet = await fleetAfter(run)
    await close(fleet, run, 'complete')
    const before = await fleet.files()
    expect(await undo(run, clientsOf(fleet), hereOf().here)).toEqual({
      kind: 'succeeded',
      message: 'The provision of VM web-01 is complete, and nothing was undone: only an answer that says so was lost',
      end: 'completed',
    })
    expect(await fleet.files()).toEqual(before)
  })
})
