import { describe, expect, it } from 'vitest'
import { release } from '../../../functions/allocate/release.ts'
import { readRecord } from '../../../shared/ledger.ts'
import { addressFile, nameFile, runFile } from '../../../shared/paths.ts'
import type { Run } from '../../../shared/step.ts'
import { toYaml } from '../../../shared/yaml.ts'
import type { MemoryFleet } from '../../fleet.ts'
import { dualStack, second } from '../../shared/cloudinit/guests.ts'
import { fleetOf } from '../build/runs.ts'
import { changing } from '../changes.ts'

const maker = 'aaaaaaaaaaaaaaaaaaaa'
const releasing = changing('deprovision', {}, 'release', {
  facts: { interfaces: [dualStack(), second()], madeBy: maker },
})
const leases = [
  addressFile('servers', '10.20.0.17'),
  addressFile('servers', 'fd00:20::17'),
  addressFile('backup', '10.90.0.32'),
]
const heldBy = (machine: string, namespace = 'shop', run: string | null = maker) => ({
  [nameFile('db-01')]: toYaml({ name: machine, namespace, ...(run && { run }) }),
  ...Object.fromEntries(leases.map((path) => [path, toYaml({ machine, namespace, ...(run && { run }) })])),
})
const released = {
  kind: 'succeeded',
  message: 'Released 10.20.0.17, fd00:20::17, 10.90.0.32 and the DNS names of db-01',
  facts: {},
}

/** A fleet in which the run goes on, with these reservations. */
async function fleetWith(files: Record<string, string>, run: Run = releasing): Promise<MemoryFleet> {
  const fleet = await fleetOf(run)
  fleet.put(files)
  return fleet
}

const left = async (fleet: MemoryFleet) => Object.keys(await fleet.files()).filter((path) => leases.includes(path))

describe('release', () => {
  it('gives back every address in one commit, which an undo can take back', async () => {
    const fleet = await fleetWith(heldBy('db-01'))
    expect(await release(releasing, fleet)).toEqual(released)
    expect(await left(fleet)).toEqual([])
    // A machine of that name would have the DNS names whose end is still waited for.
    expect(await fleet.files()).toHaveProperty([nameFile('db-01')])
    expect(fleet.commits).toMatchObject([
      {
        subject: `Release addresses of db-01 for run ${releasing.id}`,
        trailers: { run: releasing.id, step: 'release', lifecycle: 'deprovision', requester: 'ann@example.com' },
      },
    ])
    const record = await readRecord(await fleet.head(), releasing.id)
    expect(record?.task).toBe('release')
    expect(record?.wrote).toEqual(
      Object.fromEntries(leases.map((path) => [path, { before: expect.any(String), after: null }])),
    )
  })

  it.each([
    ['another machine', heldBy('web-07')],
    ['a machine of that name in another namespace', heldBy('db-01', 'office')],
    ['a new machine of that name', heldBy('db-01', 'shop', 'bbbbbbbbbbbbbbbbbbbb')],
  ])('leaves alone what %s has by now', async (_, files) => {
    const fleet = await fleetWith(files)
    expect(await release(releasing, fleet)).toEqual(released)
    expect(await left(fleet)).toEqual(leases.toSorted())
    expect(fleet.commits).toEqual([])
  })

  it('gives back what does not say whose it is, as somebody has written it by hand', async () => {
    const fleet = await fleetWith(heldBy('db-01', 'shop', null))
    await release(releasing, fleet)
    expect(await left(fleet)).toEqual([])
  })

  it('gives back the rest where an address is somebody else’s by now', async () => {
    const [first = ''] = leases
    const fleet = await fleetWith({ ...heldBy('db-01'), [first]: toYaml({ machine: 'web-07', namespace: 'shop' }) })
    await release(releasing, fleet)
    expect(await left(fleet)).toEqual([first])
  })

  it('says the same at the second delivery and changes nothing', async () => {
    const fleet = await fleetWith(heldBy('db-01'))
    expect(await release(releasing, fleet)).toEqual(released)
    expect(await release({ ...releasing, at: '2030-01-01T10:31:00.000Z' }, fleet)).toEqual(released)
    expect(fleet.commits).toHaveLength(1)
  })

  it.each(['gone', 'undoing', 'stranded'])('gives back nothing when the run is %s', async (state) => {
    const fleet = await fleetWith(heldBy('db-01'))
    const record = await readRecord(await fleet.head(), releasing.id)
    fleet.put({ [runFile(releasing.id)]: state === 'gone' ? null : toYaml({ ...record, state }) })
    expect(await release(releasing, fleet)).toEqual({
      kind: 'ignored',
      message: `Run ${releasing.id} has ended: it releases nothing`,
    })
    expect(await left(fleet)).toEqual(leases.toSorted())
  })
})
