import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { rejection } from './git/errors.ts'
import { counting, makeWorld, type World } from './git/world.ts'

/** Puts a hook into the server's repository, which notes each of its calls; answers with how many there were. */
async function protect({ host }: World, name: string, script: string): Promise<() => Promise<number>> {
  const calls = join(host.path, 'calls')
  await mkdir(join(host.path, 'hooks'), { recursive: true })
  await writeFile(calls, '')
  await writeFile(join(host.path, 'hooks', name), script.replace('CALLS', calls), { mode: 0o755 })
  return async () => (await readFile(calls, 'utf8')).length
}

const shell = (...lines: string[]) => ['#!/bin/sh', "printf x >>'CALLS'", ...lines, 'exit 1', ''].join('\n')

/** What answers for the server itself, as on GitHub: it alone can give a reason of its own. */
const own = (reason: string) => `#!${process.execPath}
const line = (text) => (text.length + 4).toString(16).padStart(4, '0') + text
require('node:fs').appendFileSync('CALLS', 'x')
let asked = ''
process.stdin.on('data', (chunk) => {
  asked += chunk
  const parts = asked.split('0000').length - 1
  if (parts === 1) process.stdout.write(line('version=1') + '0000')
  if (/refs\\/heads\\/main.*0000$/s.test(asked)) process.stdout.write(line('ng refs/heads/main ${reason}') + '0000', () => process.exit())
})
`

const advice =
  "Cannot push to the fleet repository: the branch is protected: let Drover's account push to it without a review, or give Drover another branch (DROVER_GIT_BRANCH); the Git server said "

describe('openFleet, at a protected branch', () => {
  it.each([
    [
      'pre-receive',
      shell('echo "GitLab: You are not allowed to push code to protected branches on this project." >&2'),
      '(pre-receive hook declined): GitLab: You are not allowed to push code to protected branches on this project.',
    ],
    [
      'update',
      shell('echo "Branch $1 can only be modified through pull requests." >&2'),
      '(hook declined): Branch refs/heads/main can only be modified through pull requests.',
    ],
    ['proc-receive', own('protected branch hook declined'), '(protected branch hook declined)'],
  ])(
    'is refused by a real %s hook with what to do, once for all that is pending, and changes nothing',
    async (name, script, words) => {
      const world = await makeWorld(
        name === 'proc-receive' ? { settings: { 'receive.procReceiveRefs': 'refs/heads/main' } } : {},
      )
      const before = await world.commitBehind({ counter: '0' })
      const fleet = world.open()
      await fleet.head()
      const calls = await protect(world, name, script)
      const pending = ['a', 'b', 'c', 'd'].map((run) => rejection(fleet.transact(counting(run))))
      for (const error of await Promise.all(pending))
        expect([error.reason, error.message]).toEqual(['refused', expect.stringContaining(advice + words)])
      expect(await calls()).toBe(1)
      expect(await world.git('rev-parse', 'main')).toBe(before)
    },
  )

  it('pushes again as soon as it may', async () => {
    const world = await makeWorld()
    const fleet = world.open()
    await protect(world, 'update', shell('echo "Not allowed to push to protected branch main" >&2'))
    await rejection(fleet.transact(counting('a')))
    await protect(world, 'update', '#!/bin/sh\n')
    await fleet.transact(counting('a'))
    expect(await world.git('show', 'main:counter')).toBe('1')
  })
})
