import { describe, expect, it } from 'vitest'
import { register } from '../../../functions/register/register.ts'
import type { Cmdb, CmdbRecord } from '../../../shared/cmdb.ts'
import { DroverError } from '../../../shared/errors.ts'
import { readRecord, trailersOf } from '../../../shared/ledger.ts'
import { runFile } from '../../../shared/paths.ts'
import { endOfUndo } from '../../../shared/standing.ts'
import type { Run } from '../../../shared/step.ts'
import { toYaml } from '../../../shared/yaml.ts'
import { smallRequest } from '../../examples/starter.ts'
import { memoryFleet } from '../../fleet.ts'
import { fleetOf, foundOut, runWith } from '../build/runs.ts'

function cmdb(): Cmdb & { asked: [CmdbRecord, string][] } {
  const asked: [CmdbRecord, string][] = []
  return {
    asked,
    register: async (record, state) => {
      asked.push([record, state])
      return { id: 'CI-17' }
    },
  }
}

const tooLate = ({ id }: Run) => ({ kind: 'ignored', message: `Run ${id} has ended: its event comes too late` })

describe('register', () => {
  it.each([
    ['plan', 'planned'],
    ['operate', 'operational'],
    ['retire', 'retired'],
  ])('%s tells the CMDB of a machine that is %s', async (task, state) => {
    const run = runWith(task, foundOut())
    const system = cmdb()
    expect(await register(run, system, await fleetOf(run))).toEqual({
      kind: 'succeeded',
      message: `Registered web-01 as ${state}: record CI-17`,
      facts: { cmdb: { id: 'CI-17', state } },
    })
    expect(system.asked).toEqual([
      [
        {
          run: run.id,
          name: 'web-01',
          namespace: 'shop',
          cluster: 'site-a',
          fqdn: 'web-01.servers.example.com',
          addresses: '10.20.0.17 fd00:20::17',
          owner: 'team-shop',
          requester: 'ann@example.com',
          environment: 'prod',
          application: 'shop',
          template: 'linux-small',
          ticket: '',
        },
        state,
      ],
    ])
  })

  it('goes on where there is no enterprise system', async () => {
    const run = runWith('plan', foundOut())
    expect(await register(run, undefined, await fleetOf(run))).toEqual({
      kind: 'succeeded',
      message: 'No enterprise system is configured, nothing to register',
      facts: {},
    })
  })

  it('only says what a plan would register', async () => {
    const run = { ...runWith('operate', foundOut()), request: { ...smallRequest(), plan: true } }
    const system = cmdb()
    expect(await register(run, system, memoryFleet())).toEqual({
      kind: 'succeeded',
      message: 'Would register web-01 as operational',
      facts: {},
    })
    expect(system.asked).toEqual([])
  })

  it.each([
    ['gone', []],
    ['undoing', ['retired']],
    ['stranded', []],
  ])('does not bring back what an undo has retired: the run is %s', async (state, told) => {
    const run = runWith('operate', foundOut())
    const fleet = await fleetOf(run)
    const record = await readRecord(await fleet.head(), run.id)
    fleet.put({ [runFile(run.id)]: state === 'gone' ? null : toYaml({ ...record, state }) })
    const system = cmdb()
    expect(await register(run, system, fleet)).toEqual(tooLate(run))
    expect(system.asked.map(([, one]) => one)).toEqual(told)
  })

  it('retires what was undone while a slow system took its time', async () => {
    const run = runWith('operate', foundOut())
    const fleet = await fleetOf(run)
    const states: string[] = []
    const slow: Cmdb = {
      register: async (_, state) => {
        states.push(state)
        fleet.put({ [runFile(run.id)]: null })
        const trailers = { ...trailersOf(run), step: endOfUndo }
        const decide = async () => ({ changes: [], value: undefined, mark: true as const })
        await fleet.transact({ subject: 'Undone', trailers, decide })
        return { id: 'CI-17' }
      },
    }
    expect(await register(run, slow, fleet)).toEqual(tooLate(run))
    expect(states).toEqual(['operational', 'retired'])
    // Its answer may be given up, and come true after that.
    expect(await register(run, slow, fleet)).toEqual(tooLate(run))
    expect(states).toEqual(['operational', 'retired', 'retired'])
  })

  it('cannot read a task that is another function’s', async () => {
    const run = runWith('place', foundOut())
    const system = cmdb()
    await expect(register(run, system, await fleetOf(run))).rejects.toMatchObject({
      reason: 'unreadable',
      message: 'Cannot register: place is no task of it',
    })
    expect(system.asked).toEqual([])
  })

  it('lets a failing CMDB be tried again', async () => {
    const run = runWith('plan', foundOut())
    const failing: Cmdb = { register: () => Promise.reject(new DroverError('broken', 'Cannot reach the CMDB')) }
    await expect(register(run, failing, await fleetOf(run))).rejects.toThrow('Cannot reach the CMDB')
  })
})
