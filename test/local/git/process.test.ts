import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { startGitProcess } from '../../../local/git/process.ts'
import { listenAt } from '../../../local/listen.ts'

const head = async (url: string) => (await promisify(execFile)('git', ['ls-remote', url])).stdout
const isServed = (url: string) =>
  fetch(url).then(
    () => true,
    () => false,
  )

async function folder(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'drover-git-process-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

it('a Git host in a process of its own serves until it is closed', async () => {
  const host = await startGitProcess({ directory: await folder(), token: 'secret' })
  expect(await head(host.url)).toBe('')
  expect(await isServed(host.plainUrl)).toBe(true)
  await host.close()
  expect(await isServed(host.plainUrl)).toBe(false)
})

it('it ends with who started it, however that one ended', async () => {
  const module = new URL('../../../local/git/process.ts', import.meta.url).href
  const code = `import { startGitProcess } from ${JSON.stringify(module)}
    const { plainUrl } = await startGitProcess({ directory: ${JSON.stringify(await folder())}, token: 'secret' })
    process.stdout.write(plainUrl)`
  const parent = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [url] = await once(parent.stdout, 'data')
  expect(await isServed(String(url))).toBe(true)
  parent.kill('SIGKILL')
  await expect.poll(() => isServed(String(url)), { timeout: 10_000 }).toBe(false)
})

it('it says why it cannot start', async () => {
  const other = createServer()
  const port = await listenAt(other, 0)
  onTestFinished(() => void other.close())
  await expect(startGitProcess({ directory: await folder(), token: 'secret', port })).rejects.toThrow(
    `Cannot listen at port ${port}: listen EADDRINUSE`,
  )
})
