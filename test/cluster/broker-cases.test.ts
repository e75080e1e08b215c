import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, describe, expect, inject, it } from 'vitest'

/** The cases that the local Broker is held to by `npm run test:broker`, on the real one: it has not become another since. */

const cases = new URL('../broker/cases', import.meta.url).pathname
const directory = mkdtempSync(join(tmpdir(), 'drover-cases-'))
afterAll(() => rmSync(directory, { recursive: true }))

/** Runs the cases, or just some of them; answers how many passed, and which did not with what was observed. */
async function run(just?: string[]): Promise<{ passed: number; failed: string[]; said: string }> {
  const plane = inject('controlPlane')
  if (!plane) throw new Error('Cannot run the cases: there is no control plane')
  const { ingress, kubeconfig, kubectl } = plane
  const file = join(directory, 'just.json')
  if (just) writeFileSync(file, JSON.stringify(just))
  const options = just ? ['--just', file, '--jobs', '1'] : ['--jobs', '4']
  const reach = ['--broker', ingress, '--kubeconfig', kubeconfig, '--kubectl', kubectl, '--patience', '2']
  const child = spawn(process.execPath, [join(cases, 'run.mjs'), ...reach, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said = await text(child.stdout)
  const failed = said.split('\n').flatMap((line) => /^FAIL {2}([^:]+):/.exec(line)?.[1] ?? [])
  return { passed: said.split('\n').filter((line) => line.startsWith('pass ')).length, failed, said }
}

const count = readdirSync(cases)
  .filter((name) => name.endsWith('.json'))
  .map((name) => (JSON.parse(readFileSync(join(cases, name), 'utf8')) as { cases: object[] }).cases.length)
  .reduce((sum, one) => sum + one, 0)

describe('the real Broker', { timeout: 900_000 }, () => {
  it(`behaves as it was recorded, in all of ${count} cases`, async () => {
    const first = await run()
    expect(first.passed + first.failed.length, first.said.slice(-2_000)).toBe(count)
    // A case that measures pauses cannot pass while something else holds the processor.
    if (first.failed.length === 0) return
    const second = await run(first.failed)
    expect([second.passed, second.failed], second.said).toEqual([first.failed.length, []])
  })
})
