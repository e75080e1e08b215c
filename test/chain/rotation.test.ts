import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Seen } from '../../local/feed.ts'
import { newSigningKey } from '../../shared/config.ts'
import { type Chain, factsOf, type Run, small, startChain } from './harness.ts'
import { tick } from './lost.ts'

/** Keys rotate as docs/identity.md says, in the file that every function reads, while runs are in flight. */

const folder = mkdtempSync(join(tmpdir(), 'drover-keys-'))
const file = join(folder, 'keys')
const older = newSigningKey()
const newer = newSigningKey().replace('k1:', 'k2:')

/** What an administrator writes, and then waits for every function to have read. */
async function write(...keys: string[]): Promise<void> {
  writeFileSync(file, `${keys.join('\n')}\n`)
  await sleep(2_100)
}

let chain: Chain
beforeAll(async () => {
  writeFileSync(file, older)
  chain = await startChain({ DROVER_SIGNING_KEYS_FILE: file, DROVER_QUIET_MINUTES: '0.05' })
})
afterAll(async () => {
  await chain.close()
  rmSync(folder, { recursive: true })
})

const keyOf = ({ json }: Seen) => String(JSON.parse(json).signature ?? '-').split('.')[0]
const factOf = ({ type }: Seen) => type.replace('dev.drover.provision.', '')
const keysOf = (run: Run) => Object.fromEntries(run.events().map((seen) => [factOf(seen), keyOf(seen)]))

/** Starts a run that stays before a fact's task until it is let go on. */
async function startHeldAt(fact: string): Promise<{ run: Run; release: () => void }> {
  let isHeld = true
  chain.tamper.with = (_, { type }) => (isHeld && type === `dev.drover.provision.${fact}` ? 503 : undefined)
  const run = await chain.request(small())
  await chain.feed.first((seen) => seen.run === run.id && factOf(seen) === fact)
  return {
    run,
    release: () => {
      isHeld = false
    },
  }
}

describe('a run under the older key', { timeout: 180_000 }, () => {
  it('completes while the keys rotate', async () => {
    await write(older)
    const { run, release } = await startHeldAt('create.committed')
    await write(older, newer)
    await write(newer, older)
    release()
    expect((await run.ended).type).toBe('dev.drover.provision.completed')
    expect(keysOf(run)).toMatchObject({
      validated: 'k1',
      'create.committed': 'k1',
      'create.verified': 'k2',
      completed: 'k2',
    })
  })

  it('is refused once that key is gone, and changes nothing', async () => {
    await write(older)
    const run = await chain.request(small())
    await run.ended
    await write(newer)
    const before = await chain.git('rev-parse', 'main')
    const count = run.events().length
    const refused: number[] = []
    chain.tamper.with = () => undefined
    for (const { json, type } of run.events()) {
      if (/requested|progressing/.test(type)) continue
      await chain.post({ 'content-type': 'application/cloudevents+json' }, json)
      refused.push(1)
    }
    await chain.idle()
    expect(await chain.git('rev-parse', 'main')).toBe(before)
    // The Broker has taken each of them once more; nothing followed.
    expect(run.events()).toHaveLength(count + refused.length)
  })

  it('whose event was refused because its key went too early goes on from Git at a tick', async () => {
    await write(older)
    const { run, release } = await startHeldAt('create.committed')
    await write(newer)
    release()
    await chain.idle()
    expect(factsOf(run)).not.toContain('create.verified')
    await sleep(3_000)
    await tick(chain)
    expect((await run.ended).type).toBe('dev.drover.provision.completed')
    expect(keysOf(run)['create.verified']).toBe('k2')
  })
})
