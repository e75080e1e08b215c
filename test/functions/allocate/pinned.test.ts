import { describe, expect, it } from 'vitest'
import { allocateAddress } from '../../../functions/allocate/address.ts'
import { allocateName } from '../../../functions/allocate/name.ts'
import { validate } from '../../../functions/validate/validate.ts'
import { nameFile } from '../../../shared/paths.ts'
import type { Machine } from '../../../shared/schema/machine.ts'
import type { Facts } from '../../../shared/step.ts'
import { asked, runOf, smallRequest, starterFiles } from '../../examples/starter.ts'
import { memoryFleet } from '../../fleet.ts'

const machineOn = (cluster: string) => ({ networks: [{ network: 'servers' }], placement: { cluster } }) as Machine
const named = (cluster: string) => runOf({ task: 'name', fact: 'validated', facts: { machine: machineOn(cluster) } })

describe('a request that comes twice', () => {
  it('makes the machine that was found valid first, though its template was changed in between', async () => {
    const fleet = memoryFleet(starterFiles())
    await allocateName(named('site-a'), fleet)
    expect(await allocateName(named('site-b'), fleet)).toMatchObject({
      kind: 'succeeded',
      facts: { name: 'prod-shop-001', machine: machineOn('site-a') },
    })
  })

  it('goes on with all that was found valid first, whatever is allowed by now', async () => {
    const first: Facts = {
      machine: machineOn('site-a'),
      labels: { tier: 'web' },
      callback: { url: 'https://portal.example.com/hooks/17' },
      attached: [{ name: 'data', size: '200Gi', claim: 'old-db-data' }],
      claims: { 'old-db-data': 'uid-1' },
    }
    const fleet = memoryFleet(starterFiles())
    await allocateName({ ...named('site-a'), facts: first }, fleet)
    expect(await allocateName({ ...named('site-a'), facts: {} }, fleet)).toEqual({
      kind: 'succeeded',
      message: 'Reserved the name prod-shop-001',
      facts: { ...first, name: 'prod-shop-001' },
    })
  })

  it('is ignored when it is another request under the same source and id', async () => {
    const fleet = memoryFleet(starterFiles())
    await allocateName(named('site-a'), fleet)
    const other = { ...named('site-a'), request: { ...smallRequest(), namespace: 'office' } }
    expect(await allocateName(other, fleet)).toEqual({
      kind: 'ignored',
      message: `Run ${other.id} is that of another request: its source and id were used before`,
    })
    expect(fleet.commits).toHaveLength(1)
  })
})

describe('a file that somebody made by hand', () => {
  it.each(['', '[]', 'x', 'null'])('holds its name with the content "%s" too', async (content) => {
    const fleet = memoryFleet({ ...starterFiles(), [nameFile('web-1')]: content })
    const request = { ...smallRequest(), name: 'web-1' }
    const taken = `"web-1" is taken, see ${nameFile('web-1')}`
    expect(await allocateName(runOf({ task: 'name', request }), fleet)).toEqual({
      kind: 'refused',
      message: `Cannot name the machine: ${taken}`,
      facts: {},
    })
    expect(await validate(asked(request), fleet)).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining(taken),
    })
  })

  it.each(['FD00-20--10', 'fd00-20-0-0-0-0-0-10', 'fd00-20--0010'])('holds its address also as %s', async (spelt) => {
    const fleet = memoryFleet({ ...starterFiles(), [`ipam/servers/${spelt}.yaml`]: 'by: hand\n' })
    await allocateName(named('site-a'), fleet)
    const run = { ...named('site-a'), task: 'address', facts: { machine: machineOn('site-a'), name: 'prod-shop-001' } }
    const outcome = await allocateAddress(run, fleet)
    const { leases = [] } = (outcome.kind === 'succeeded' && outcome.facts?.interfaces?.[0]) || {}
    expect(leases.map(({ address }) => address)).toEqual(['10.20.0.16', 'fd00:20::11'])
  })
})
