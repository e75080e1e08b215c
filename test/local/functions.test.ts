import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { choosePorts, startProcesses } from '../../local/functions.ts'
import { buildBundle } from '../../scripts/build.ts'

const folder = mkdtempSync(join(tmpdir(), 'drover-functions-'))
const bundle = join(folder, 'drover.cjs')
beforeAll(() => buildBundle(bundle))
afterAll(() => rmSync(folder, { recursive: true }))

it('says at once what a function lacks that cannot start, and leaves none of the others behind', async () => {
  const ports = await choosePorts()
  const began = performance.now()
  const starting = startProcesses(bundle, ports, join(folder, 'logs'), () => ({ DROVER_GRACE_SECONDS: 'long' }))
  await expect(starting).rejects.toThrow(
    /^Cannot start the function "[a-z]+": Cannot start: .*DROVER_GRACE_SECONDS is "long", wanted a number/,
  )
  expect(performance.now() - began).toBeLessThan(30_000)
  await expect(fetch(`http://127.0.0.1:${ports.notify}/health/readiness`)).rejects.toThrow('fetch failed')
})
