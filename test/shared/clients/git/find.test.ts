import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Clone } from '../../../../shared/clients/git/clone.ts'
import { openHistory } from '../../../../shared/clients/git/find.ts'
import { counting, makeWorld } from './world.ts'

const answer = { code: 0, timedOut: false, stdout: '', stderr: '' }
const wanted = { run: 'run-1', step: 'name', since: '2026-01-01T00:00:00Z' }

/** A clone that is replaced so many times while its history is read; what a new one begins with is not what was wanted. */
function replacedTimes(times: number): Clone {
  const clone = {
    remakes: 0,
    git: async () => {
      if (clone.remakes < times) return { ...answer, stdout: `>\0other-${clone.remakes++}\0run-2\0name\n` }
      return { ...answer, stdout: '>\0made\0run-1\0name\n' }
    },
    deepen: async () => answer,
  }
  return clone as unknown as Clone
}

it('what is found in a clone that was replaced meanwhile is looked for again', async () => {
  const history = openHistory(replacedTimes(2), (text) => text)
  expect(await history.find(wanted, 'tip')).toBe('made')
})

it('nothing is said of a history whose newest commit cannot be read', async () => {
  const killed = { ...answer, code: undefined }
  const clone = { remakes: 0, git: async () => killed, remake: async () => ({}), deepen: async () => killed }
  const history = openHistory(clone as unknown as Clone, (text) => text)
  await expect(history.find(wanted, 'tip')).rejects.toMatchObject({ reason: 'busy' })
})

it('nothing is said of a history whose clone is replaced again and again', async () => {
  const history = openHistory(replacedTimes(100), (text) => text)
  await expect(history.find(wanted, 'tip')).rejects.toMatchObject({
    reason: 'busy',
    message: 'Cannot search the history of the fleet repository: its clone is made again and again',
  })
})

it('a clone whose history a command that was killed has locked is made again', async () => {
  const { open, directory, warnings } = await makeWorld()
  const writer = open({ directory: join(directory, 'other') })
  const { revision } = await writer.transact(counting('run-1'))
  await writer.transact(counting('run-2'))
  const reader = open()
  await reader.head()
  const [name = ''] = await readdir(join(directory, 'cache'))
  await writeFile(join(directory, 'cache', name, 'shallow.lock'), '')
  expect(await reader.find('run-1', 'commit', new Date(0).toISOString())).toBe(revision)
  expect(warnings).toEqual([expect.stringContaining('shallow.lock')])
})

it('a server that is away is waited for, with the clone as it is', async () => {
  const { open, host, directory, warnings } = await makeWorld()
  const writer = open({ directory: join(directory, 'other') })
  await writer.transact(counting('run-1'))
  await writer.transact(counting('run-2'))
  const reader = open()
  const tree = await reader.head()
  host.faults.outage = 503
  await expect(reader.find('run-1', 'commit', new Date(0).toISOString(), tree)).rejects.toMatchObject({
    reason: 'busy',
    message: 'Cannot read the history of the fleet repository: the Git server answered 503',
  })
  expect(warnings).toEqual([])
})
