import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { keep } from './kept.ts'

async function kept(script: string) {
  const folder = mkdtempSync(join(tmpdir(), 'drover-kept-'))
  const one = await keep({
    ...{ name: 'part', run: ['-e', script], env: {}, log: join(folder, 'part.log') },
    isReady: async () => true,
  })
  onTestFinished(async () => {
    await one.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return one
}

it('a process that is killed is said to be, and comes again', async () => {
  const one = await kept("process.stdin.on('end', () => process.exit()).resume()")
  const before = one.pid()
  expect(await one.kill(0)).toBe(true)
  await expect.poll(() => [undefined, before].includes(one.pid())).toBe(false)
  expect(one.crashes()).toBe(0)
})

it('a process that has ended by itself is not said to be killed', async () => {
  const one = await kept('')
  await expect.poll(() => one.pid()).toBeUndefined()
  expect(await one.kill(0)).toBe(false)
  expect(one.crashes()).toBeGreaterThan(0)
})
