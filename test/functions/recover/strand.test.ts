import { describe, expect, it } from 'vitest'
import { strand } from '../../../functions/recover/strand.ts'
import { readRecord } from '../../../shared/ledger.ts'
import { runFile } from '../../../shared/paths.ts'
import { keepSecret } from '../../../shared/secrets.ts'
import type { Run } from '../../../shared/step.ts'
import { memoryFleet } from '../../fleet.ts'
import { fleetOf, foundOut, runWith } from '../build/runs.ts'

const failedAt = (task: string): Run => ({
  ...runWith('undo', foundOut()),
  failure: { task, title: task, message: `Cannot do ${task}` },
})

describe('a run that is left to a person', () => {
  it('says so in its record, with what they must look at', async () => {
    const run = failedAt('check')
    const fleet = await fleetOf(run)
    expect(await strand(run, 'look at this', { fleet, cmdb: undefined })).toBeUndefined()
    expect(await readRecord(await fleet.head(), run.id)).toMatchObject({ state: 'stranded', message: 'look at this' })
    expect(fleet.commits).toMatchObject([{ subject: `Leave run ${run.id} to a person`, trailers: { step: 'strand' } }])
  })

  it('has no secret in its record', async () => {
    const run = failedAt('check')
    const fleet = await fleetOf(run)
    await strand(run, `look at https://${keepSecret('correct-horse-battery')}@git.example.com`, {
      fleet,
      cmdb: undefined,
    })
    expect(await readRecord(await fleet.head(), run.id)).toMatchObject({
      message: expect.stringContaining('[redacted]'),
    })
  })

  it('keeps the first word about it', async () => {
    const run = failedAt('check')
    const fleet = await fleetOf(run)
    await strand(run, 'first', { fleet, cmdb: undefined })
    await strand(run, 'second', { fleet, cmdb: undefined })
    expect(await readRecord(await fleet.head(), run.id)).toMatchObject({ message: 'first' })
  })

  it('is none where it has ended: it ended as its undo says', async () => {
    const fleet = memoryFleet()
    const run = { ...failedAt('name'), facts: {} }
    const undone = { kind: 'succeeded', message: 'Nothing was changed: Cannot do name' }
    expect(await strand(run, 'look', { fleet, cmdb: undefined })).toMatchObject(undone)
    expect(await strand(run, 'look', { fleet, cmdb: undefined })).toMatchObject(undone)
    expect(await fleet.files()).toEqual({})
  })

  it('is not one that goes on, of whose id another request was refused', async () => {
    const run = failedAt('validate')
    const fleet = await fleetOf(run)
    const before = await fleet.files()
    expect(await strand(run, 'look', { fleet, cmdb: undefined })).toMatchObject({ kind: 'ignored' })
    expect(await fleet.files()).toEqual(before)
    expect(before).toHaveProperty(runFile(run.id))
  })
})
