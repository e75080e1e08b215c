import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toMessage } from '../shared/clients/git/message.ts'
import { environment } from '../shared/config.ts'

/** The commands of docs/operations.md, on a fleet with a run that is stranded. */

const text = readFileSync(new URL('../docs/operations.md', import.meta.url), 'utf8')
const commands = /^<!-- tried: questions -->\n```sh\n(.*?)^```/ms.exec(text)?.[1] ?? ''
const directory = mkdtempSync(join(tmpdir(), 'drover-operations-'))
const run = '97cd21bc9551dd3fdde4'

beforeAll(() => {
  const fleet = join(directory, 'fleet')
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', fleet, '-c', 'user.name=x', '-c', 'user.email=x@y', ...args])
  const commit = (message: string, files: Record<string, string>) => {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(fleet, path)), { recursive: true })
      writeFileSync(join(fleet, path), content)
    }
    git('add', '.')
    git('commit', '-q', '-m', message)
  }
  mkdirSync(fleet)
  git('init', '-q', '-b', 'main')
  const trailers = { run, lifecycle: 'provision', requester: 'ann@example.com' } as const
  commit(toMessage('provision web-01 on site-a', { ...trailers, step: 'create.commit' }), {
    'vms/site-a/shop/web-01/values.yaml': 'name: "web-01"\n',
    [`runs/${run}.yaml`]: `run: "${run}"\nlifecycle: "provision"\nstate: "stranded"\ntask: "create.commit"\n`,
  })
  commit(toMessage('Go on with provision of web-01', { ...trailers, step: 'resume' }), { 'runs/x.yaml': 'run: "x"\n' })
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe('docs/operations.md', () => {
  it('asks git what it says that it asks', () => {
    const env = { ...environment(), RUN: run, NAME: 'web-01' }
    const said = execFileSync('sh', ['-e', '-c', commands], { cwd: directory, env, encoding: 'utf8' })
    expect(said).toContain('state: "stranded"')
    expect(said).toContain(`HEAD:runs/${run}.yaml`)
    expect(said).toMatch(/^\S+ provision web-01 on site-a$/m)
    expect(said).toMatch(/^\S+ ann@example\.com provision web-01 on site-a$/m)
    expect(said).toMatch(/^[0-9a-f]+ Go on with provision of web-01$/m)
  })
})
