import { describe, expect, it } from 'vitest'
import { register } from '../../../functions/register/register.ts'
import type { Cmdb, CmdbRecord } from '../../../shared/cmdb.ts'
import { DroverError } from '../../../shared/errors.ts'
import { runFile } from '../../../shared/paths.ts'
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

describe('register', () => {
  it.each([
    ['plan', 'planned'],
    ['operate', 'operational'],
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
    expect(await register(run, undefined, await fleetOf(run))).toMatchObject({
      kind: 'succeeded',
      message: 'No enterprise system is configured, nothing to register',
    })
  })

  it('does not bring back what an undo has retired', async () => {
    const run = runWith('operate', foundOut())
    const fleet = await fleetOf(run)
    fleet.put({ [runFile(run.id)]: null })
    const system = cmdb()
    expect(await register(run, system, fleet)).toMatchObject({ kind: 'ignored' })
    expect(system.asked).toEqual([])
  })

  it('lets a failing CMDB be tried again', async () => {
    const run = runWith('plan', foundOut())
    const failing: Cmdb = { register: () => Promise.reject(new DroverError('broken', 'Cannot reach the CMDB')) }
    await expect(register(run, failing, await fleetOf(run))).rejects.toThrow('Cannot reach the CMDB')
  })
})
