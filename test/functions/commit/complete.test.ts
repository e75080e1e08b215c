import { describe, expect, it } from 'vitest'
import { complete } from '../../../functions/commit/complete.ts'
import { toLock } from '../../../shared/lock.ts'
import {
  addressFile,
  claimsFile,
  definitionFile,
  imageFile,
  imageLockFile,
  lockFile,
  nameFile,
  runFile,
} from '../../../shared/paths.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import type { Facts, Run } from '../../../shared/step.ts'
import { toYaml } from '../../../shared/yaml.ts'
import { runOf } from '../../examples/starter.ts'
import { type MemoryFleet, memoryFleet } from '../../fleet.ts'
import { dualStack } from '../../shared/cloudinit/guests.ts'
import { build, golden } from '../../shared/images/golden.ts'
import { databaseServer } from '../../shared/kubevirt/definitions.ts'
import { fleetOf, foundOut, runWith } from '../build/runs.ts'
import { changing, commitAs, fleetHaving } from '../changes.ts'

const run = runWith('complete', foundOut())

describe('complete', () => {
  it('removes the record of the run and says where the machine is', async () => {
    const fleet = await fleetOf(run)
    expect(await complete(run, fleet)).toEqual({
      kind: 'succeeded',
      message: 'VM web-01 is ready on site-a at 10.20.0.17, fd00:20::17',
      facts: run.facts,
    })
    expect(fleet.commits).toMatchObject([{ changes: { [runFile(run.id)]: null }, trailers: { step: 'complete' } }])
  })

  it('does not close the run of a machine that is gone while an address is still reserved for it', async () => {
    const removed = changing('deprovision', {}, 'remove.commit', { facts: { interfaces: [dualStack()] } })
    const fleet = await fleetHaving(databaseServer())
    const lease = addressFile('servers', '10.20.0.17')
    fleet.put({ [lease]: toYaml({ address: '10.20.0.17', machine: 'db-01', namespace: 'shop' }) })
    await commitAs(removed, fleet, [{ path: definitionFile('site-a', 'shop', 'db-01'), content: null }])
    const closing = { ...removed, task: 'complete' }
    expect(await complete(closing, fleet)).toMatchObject({
      kind: 'refused',
      message: `Cannot close the run: db-01 is gone, but this is still reserved for it: "${lease}"`,
    })
    expect(fleet.commits).toEqual([])
    // The address is somebody else's by now.
    fleet.put({ [lease]: toYaml({ address: '10.20.0.17', machine: 'web-07', namespace: 'shop' }) })
    expect(await complete(closing, fleet)).toMatchObject({ kind: 'succeeded' })
    expect((await fleet.files())[lease]).toContain('web-07')
  })

  it.each([
    ['gives back the name of a machine that is gone', 'aaaaaaaaaaaaaaaaaaaa', null],
    ['leaves the name to the machine that has it by now', 'bbbbbbbbbbbbbbbbbbbb', undefined],
  ])('%s', async (_, holder, change) => {
    const facts = { interfaces: [dualStack()], madeBy: 'aaaaaaaaaaaaaaaaaaaa' }
    const removed = changing('deprovision', {}, 'remove.commit', { facts })
    const fleet = await fleetHaving(databaseServer())
    fleet.put({ [nameFile('db-01')]: toYaml({ name: 'db-01', namespace: 'shop', run: holder }) })
    await commitAs(removed, fleet, [{ path: definitionFile('site-a', 'shop', 'db-01'), content: null }])
    expect(await complete({ ...removed, task: 'complete' }, fleet)).toMatchObject({ kind: 'succeeded' })
    expect(fleet.commits[0]?.changes[nameFile('db-01')]).toBe(change)
  })

  it('answers the same at the second delivery', async () => {
    const fleet = await fleetOf(run)
    const first = await complete(run, fleet)
    expect(await complete(run, fleet)).toEqual(first)
    expect(fleet.commits).toHaveLength(1)
  })

  it.each(['gone', 'undoing', 'stranded'])('ignores an event that comes when the run is %s', async (state) => {
    const fleet = await fleetOf(run)
    const text = (await fleet.files())[runFile(run.id)] ?? ''
    fleet.put({ [runFile(run.id)]: state === 'gone' ? null : text.replace('"running"', `"${state}"`) })
    expect(await complete(run, fleet)).toEqual({
      kind: 'ignored',
      message: `Run ${run.id} has been undone: it cannot be completed any more`,
    })
    expect(fleet.commits).toEqual([])
  })
})

describe('the end of a change of a machine', () => {
  const lock = lockFile('site-a', 'shop', 'db-01')
  const definition = definitionFile('site-a', 'shop', 'db-01')
  const claims = claimsFile('site-a', 'shop', 'db-01')
  const migrating = changing('migrate', {}, 'locate')
  const closing: Run = { ...migrating, task: 'complete', message: 'VM db-01 runs on node-2' }

  /** A fleet in which the run holds this machine. */
  async function holding(...machines: Definition[]): Promise<MemoryFleet> {
    const fleet = await fleetHaving(...machines)
    await commitAs(migrating, fleet, [{ path: lock, content: toLock(migrating) }])
    return fleet
  }

  it('lets go of the machine, and takes out of its definition what only the run needed', async () => {
    const fleet = await holding(databaseServer({ migration: { name: 'db-01-012345' } }))
    expect(await complete(closing, fleet)).toEqual({
      kind: 'succeeded',
      message: 'Migration of shop/db-01 on site-a is complete: VM db-01 runs on node-2',
      facts: closing.facts,
    })
    expect(fleet.commits).toMatchObject([{ subject: `Close run ${closing.id}: migrate of db-01 completed` }])
    expect(fleet.commits[0]?.changes).toEqual({
      [runFile(closing.id)]: null,
      [lock]: null,
      [definition]: toYaml(databaseServer()),
      [`vms/site-a/shop/db-01/manifests/virtualmachineinstancemigration-db-01-012345.yaml`]: null,
    })
  })

  it('tells what the run has found out', async () => {
    const facts = { ...closing.facts, report: ['2 packages changed', 'kernel 5.14'] }
    expect(await complete({ ...closing, facts }, await holding(databaseServer()))).toMatchObject({
      message: 'Migration of shop/db-01 on site-a is complete: 2 packages changed, kernel 5.14',
    })
  })

  it('writes down the claims that were seen, in one order', async () => {
    const fleet = await holding(databaseServer())
    const facts = { ...closing.facts, claims: { 'db-01-wal': 'uid-2', 'db-01-data': 'uid-1' } }
    await complete({ ...closing, facts }, fleet)
    expect((await fleet.files())[claims]).toBe(toYaml({ 'db-01-data': 'uid-1', 'db-01-wal': 'uid-2' }))
  })

  it.each<[string, Definition[], Facts]>([
    ['no claim was seen', [databaseServer()], { claims: {} }],
    ['the machine is not in the fleet any more', [], { claims: { 'db-01-data': 'uid-1' } }],
  ])('writes nothing down where %s', async (_, machines, change) => {
    const fleet = await holding(...machines)
    await complete({ ...closing, facts: { ...closing.facts, ...change } }, fleet)
    expect(fleet.commits[0]?.changes).toEqual({ [runFile(closing.id)]: null, [lock]: null })
  })

  it('leaves the name of a machine that stays', async () => {
    const fleet = await holding(databaseServer())
    fleet.put({ [nameFile('db-01')]: toYaml({ name: 'db-01', namespace: 'shop' }) })
    expect(await complete(closing, fleet)).toMatchObject({ kind: 'succeeded' })
    expect(await fleet.files()).toHaveProperty([nameFile('db-01')])
  })

  it.each<[string, Facts]>([
    ['machine', { cluster: 'site-a' }],
    ['cluster', { name: 'db-01' }],
  ])('takes away the record alone where the run has found no %s', async (_, facts) => {
    const found = runOf({ lifecycle: 'migrate', request: closing.request, task: 'complete', facts })
    const fleet = await fleetOf(found)
    expect(await complete(found, fleet)).toMatchObject({ kind: 'succeeded' })
    expect(fleet.commits[0]?.changes).toEqual({ [runFile(found.id)]: null })
  })
})

describe('the end of a golden image', () => {
  it('lets go of the image, and protects the disk that it is from now on', async () => {
    const image = golden({ current: build() })
    const request = { namespace: 'golden', image: 'rhel9', cluster: 'site-a' } as Run['request']
    const facts = { name: 'rhel9', cluster: 'site-a' }
    const making = runOf({ lifecycle: 'golden-image', task: 'complete', request, facts, message: 'rhel9 can be used' })
    const fleet = memoryFleet({ [imageFile('rhel9')]: toYaml(image) })
    await commitAs(making, fleet, [{ path: imageLockFile('rhel9'), content: toLock(making) }])
    expect(await complete(making, fleet)).toEqual({
      kind: 'succeeded',
      message: 'Golden Image Creation of golden/rhel9 on site-a is complete: rhel9 can be used',
      facts,
    })
    const { changes = {} } = fleet.commits[0] ?? {}
    expect(changes).toMatchObject({ [runFile(making.id)]: null, [imageLockFile('rhel9')]: null })
    expect(changes[imageFile('rhel9')]).toBe(toYaml(golden()))
  })
})
