import { describe, expect, it } from 'vitest'
import { strand } from '../../../functions/recover/strand.ts'
import { readRecord } from '../../../shared/ledger.ts'
import { runFile } from '../../../shared/paths.ts'
import { keepSecret } from '../../../shared/secrets.ts'
import type { Run } from '../../../shared/step.ts'
import { toYaml } from '../../../shared/yaml.ts'
import { memoryFleet } from '../../fleet.ts'
import { fleetOf, foundOut, runWith } from '../build/runs.ts'

const failedAt = (task: string): Run => ({
  ...runWith('undo', foundOut()),
  failure: { task, title: task, message: `Cannot do ${task}` },
})

const now = new Date('2030-01-01T10:30:00Z')

describe('a run that is left to a person', () => {
  it('says so in its record, with what they must look at', async () => {
    const run = failedAt('check')
    const fleet = await fleetOf(run)
    expect(await strand(run, 'look at this', { fleet, cmdb: undefined }, now)).toBeUndefined()
    expect(await readRecord(await fleet.head(), run.id)).toMatchObject({ state: 'stranded', message: 'look at this' })
    expect(fleet.commits).toMatchObject([{ subject: `Leave run ${run.id} to a person`, trailers: { step: 'strand' } }])
  })

  it('has no secret in its record', async () => {
    const run = failedAt('check')
    const fleet = await fleetOf(run)
    await strand(
      run,
      `look at https://${keepSecret('correct-horse-battery')}@git.example.com`,
      {
        fleet,
        cmdb: undefined,
      },
      now,
    )
    expect(await readRecord(await fleet.head(), run.id)).toMatchObject({
      message: expect.stringContaining('[redacted]'),
    })
  })

  it('keeps the first word about it', async () => {
    const run = failedAt('check')
    const fleet = await fleetOf(run)
    await strand(run, 'first', { fleet, cmdb: undefined }, now)
    await strand(run, 'second', { fleet, cmdb: undefined }, now)
    expect(await readRecord(await fleet.head(), run.id)).toMatchObject({ message: 'first' })
  })

  it('is none whose undo began late: what counts is its record, not an event that has waited', async () => {
    const run = failedAt('check')
    const fleet = await fleetOf(run)
    const record = await readRecord(await fleet.head(), run.id)
    fleet.put({ [runFile(run.id)]: toYaml({ ...record, state: 'undoing', deadline: '2030-01-01T10:45:00.000Z' }) })
    const late = { ...run, deadline: '2030-01-01T10:29:00.000Z' }
    const before = await fleet.files()
    expect(await strand(late, 'look', { fleet, cmdb: undefined }, now)).toMatchObject({ kind: 'notYet' })
    expect(await fleet.files()).toEqual(before)
    const atLast = new Date('2030-01-01T10:45:00Z')
    expect(await strand(late, 'look', { fleet, cmdb: undefined }, atLast)).toBeUndefined()
    expect(await readRecord(await fleet.head(), run.id)).toMatchObject({ state: 'stranded', message: 'look' })
  })

  it('is none where it has ended: it ended as its undo says', async () => {
    const fleet = memoryFleet()
    const run = { ...failedAt('name'), facts: {} }
    const undone = { kind: 'succeeded', message: 'Nothing was changed: Cannot do name' }
    expect(await strand(run, 'look', { fleet, cmdb: undefined }, now)).toMatchObject(undone)
    expect(await strand(run, 'look', { fleet, cmdb: undefined }, now)).toMatchObject(undone)
    expect(await fleet.files()).toEqual({})
  })

  it('is not one that goes on, of whose id another request was refused', async () => {
    const run = failedAt('validate')
    const fleet = await fleetOf(run)
    const before = await fleet.files()
    expect(await strand(run, 'look', { fleet, cmdb: undefined }, now)).toMatchObject({ kind: 'ignored' })
    expect(await fleet.files()).toEqual(before)
    expect(before).toHaveProperty(runFile(run.id))
  })
})
