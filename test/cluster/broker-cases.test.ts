import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { runAgain, runCases } from '../broker/runner.ts'

/** The cases that the local Broker is held to by `npm run test:broker`, on the real one: it has not become another since. */

const cases = new URL('../broker/cases', import.meta.url).pathname
const count = readdirSync(cases)
  .filter((name) => name.endsWith('.json'))
  .map((name) => (JSON.parse(readFileSync(join(cases, name), 'utf8')) as { cases: object[] }).cases.length)
  .reduce((sum, one) => sum + one, 0)

describe('the real Broker', { timeout: 900_000 }, () => {
  it(`behaves as it was recorded, in all of ${count} cases`, async () => {
    const plane = inject('controlPlane')
    if (!plane) throw new Error('Cannot run the cases: there is no control plane')
    const { ingress, kubeconfig, kubectl } = plane
    const onReal = ['--broker', ingress, '--kubeconfig', kubeconfig, '--kubectl', kubectl, '--patience', '2']
    const first = await runCases([...onReal, '--jobs', '4'])
    expect(first.passed + first.failed.length, first.details).toBe(count)
    if (first.failed.length === 0) return
    const second = await runAgain(first.failed, onReal)
    expect([second.passed, second.failed], second.details).toEqual([first.failed.length, []])
  })
})
