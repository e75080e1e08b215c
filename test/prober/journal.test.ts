import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { lineOf, openJournal } from './journal.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'drover-journal-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const event = (data: object) => ({
  attributes: {
    specversion: '1.0',
    id: 'one',
    type: 'dev.drover.patch.completed',
    source: '/drover/commit',
    runid: 'r',
  },
  data: Buffer.from(JSON.stringify(data)),
})

it('a journal is read as it comes, also where a line comes in two', () => {
  const file = join(directory, 'journal')
  const read = openJournal(file)
  expect(read()).toEqual([])
  const line = lineOf(event({ message: 'Größe' }))
  const bytes = Buffer.from(line)
  const half = bytes.indexOf(0xc3) + 1
  appendFileSync(file, line)
  appendFileSync(file, bytes.subarray(0, half))
  expect(read().map(({ message }) => message)).toEqual(['Größe'])
  expect(read()).toEqual([])
  appendFileSync(file, bytes.subarray(half))
  expect(read().map(({ message }) => message)).toEqual(['Größe'])
})

it('a line has what the run has got, and why it failed', () => {
  const leases = [{ network: 'servers', address: '10.20.0.16' }]
  const facts = { name: 'web-1', cluster: 'site-a', interfaces: [{ leases }] }
  const failure = { task: 'locate', title: 'Find', message: 'it is held' }
  expect(JSON.parse(lineOf(event({ facts, failure })))).toMatchObject({
    ...{ name: 'web-1', cluster: 'site-a', addresses: ['servers/10.20.0.16'], failure: 'locate: it is held' },
    ...{ run: 'r', id: 'one', type: 'dev.drover.patch.completed' },
  })
})

it('a line of a request that is nothing readable has what the Broker knows of it', () => {
  const line = lineOf({ ...event({}), data: Buffer.from('{') })
  expect(JSON.parse(line)).toEqual({
    at: expect.any(Number),
    id: 'one',
    type: expect.any(String),
    source: '/drover/commit',
    run: 'r',
  })
})
