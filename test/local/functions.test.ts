import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { choosePorts, startProcesses } from '../../local/functions.ts'
import { buildBundle } from '../../scripts/build.ts'

const folder = mkdtempSync(join(tmpdir(), 'drover-functions-'))
const bundle = join(folder, 'drover.cjs')
beforeAll(() => buildBundle(bundle), 120_000)
afterAll(() => rmSync(folder, { recursive: true }))

const settings = { DROVER_GIT_URL: 'http://127.0.0.1:9/fleet.git', DROVER_SIGNING_KEYS: `k1:${'s'.repeat(32)}` }

it('says at once what a function lacks that cannot start, and leaves none of the others behind', async () => {
  const ports = await choosePorts()
  const starting = startProcesses(bundle, ports, join(folder, 'logs'), (name) => ({
    ...settings,
    ...(name === 'verify' ? { DROVER_GRACE_SECONDS: 'long' } : {}),
  }))
  await expect(starting).rejects.toThrow(
    /^Cannot start the function "verify": Cannot start: DROVER_GRACE_SECONDS is "long", wanted a number/,
  )
  const left = await Promise.allSettled(Object.values(ports).map((port) => fetch(`http://127.0.0.1:${port}/`)))
  expect(left.filter(({ status }) => status === 'fulfilled')).toEqual([])
})

it('says whether there was a process to kill, and counts those that have ended', { timeout: 120_000 }, async () => {
  const functions = await startProcesses(bundle, await choosePorts(), join(folder, 'logs'), () => settings)
  expect(functions.ends()).toBe(0)
  expect(functions.kill('notify')).toBe(true)
  await expect.poll(() => functions.ends()).toBe(1)
  // It comes again only after a moment.
  expect(functions.kill('notify')).toBe(false)
  await functions.close()
  expect(functions.ends()).toBe(1)
})
