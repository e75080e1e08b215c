import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'

const root = new URL('../../', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'local-main-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Starts the command; `onTerminal` lets it draw as on a terminal. */
const start = (args: string[], onTerminal = false): ChildProcess => {
  const terminal = onTerminal ? ['--import', 'data:text/javascript,process.stdout.isTTY=process.stderr.isTTY=true'] : []
  return spawn(process.execPath, [...terminal, 'local/main.ts', ...args], { cwd: root })
}

const ended = async (child: ChildProcess) => {
  const [said, [code]] = await Promise.all([child.stderr ? text(child.stderr) : '', once(child, 'exit')])
  return { said, code }
}

const requestFile = (name: string, content: unknown) => {
  const file = join(folder, name)
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

/** Where `func invoke -p functions/validate` would look for the function that a process started. */
const runOf = (child: ChildProcess) => {
  const runs = join(root, 'functions/validate/.func/runs')
  return readdirSync(runs)
    .map((port) => join(runs, port))
    .find((run) => existsSync(join(run, 'pid')) && readFileSync(join(run, 'pid'), 'utf8') === `${child.pid}\n`)
}

describe('npm run local', () => {
  const event = { specversion: '1.0', id: '1', source: '/me', data: {} }

  it.each<[string, unknown, string]>([
    ['is not there', undefined, 'Cannot read the event: ENOENT'],
    ['is not JSON', 'nothing', 'Cannot read the event: it is not JSON'],
    ['is no CloudEvent', { template: 'x' }, 'Cannot read the event: it is no CloudEvent'],
    [
      'begins no lifecycle, so that its run would never end',
      { ...event, type: 'dev.drover.provision.nonsense' },
      'its type is "dev.drover.provision.nonsense", wanted dev.drover.golden-image.requested or dev.drover.provision.requested',
    ],
  ])('refuses at once a request that %s', async (name, content, message) => {
    const file = content === undefined ? join(folder, 'none.json') : requestFile(`${name.length}.json`, content)
    const { said, code } = await ended(start(['--once', '--dir', join(folder, 'unused'), '--request', file]))
    expect(said).toContain(message)
    expect(code).toBe(1)
    expect(existsSync(join(folder, 'unused'))).toBe(false)
  })

  it('holds its directory, and cleans up at Ctrl-C while it draws on a terminal', { timeout: 120_000 }, async () => {
    const directory = join(folder, 'world')
    const first = start(['--delays', '0', '--dir', directory], true)
    const end = ended(first)
    await new Promise<void>((drawing) => first.stdout?.on('data', (data) => `${data}`.includes('…') && drawing()))
    const run = runOf(first) ?? ''
    const validate = await fetch(`http://localhost:${basename(run)}/health/readiness`)
    expect(validate.status).toBe(200)
    const second = await ended(start(['--once', '--dir', directory]))
    expect(second).toEqual({ said: expect.stringContaining(`process ${first.pid} runs over it`), code: 1 })
    // Once by the terminal, and once more by npm.
    first.kill('SIGINT')
    await setTimeout(50)
    first.kill('SIGINT')
    expect(await end).toEqual({ said: '', code: expect.toBeOneOf([0, 130]) })
    expect(existsSync(join(directory, 'pid'))).toBe(false)
    expect(existsSync(run)).toBe(false)
  })

  it('shows a whole life, and ends with 0 when every run of it has completed', { timeout: 240_000 }, async () => {
    const child = start(['--once', '--delays', '0', '--dir', join(folder, 'life')])
    const [shown, { code }] = await Promise.all([child.stdout ? text(child.stdout) : '', ended(child)])
    const runs = shown.slice(shown.indexOf('The runs:')).split('\n').slice(2, 10)
    expect(runs.map((line) => line.trim().split(' ')[0])).toEqual([
      ...[
        'Golden',
        'Provisioning',
        'Snapshot',
        'Patching',
        'Recovery',
        'Resizing',
        'Rebuild/Repave',
        'De-provisioning',
      ],
    ])
    expect(shown).toMatch(
      /De-provisioning of shop\/prod-shop-001 on site-\w is complete: VM prod-shop-001 is gone from/,
    )
    expect(shown).toMatch(/\n {2}[0-9a-f]{7,} {2}remove\.commit +deprovision shop\/prod-shop-001/)
    // The commit that made the machine, as `git log -1 --stat` shows it.
    expect(shown).toMatch(
      /\n {4}provision shop\/prod-shop-001 on site-\w: run [0-9a-f]{20}\n(.*\n)+.* \d+ files changed, \d+ insertions/,
    )
    expect(code).toBe(0)
  })

  it('leaves nobody behind when npm is told to end', { timeout: 60_000 }, async () => {
    const directory = join(folder, 'by-npm')
    const npm = spawn(
      'npm',
      ['run', 'local', '--', '--request', 'examples/provision.json', '--delays', '0', '--dir', directory],
      { cwd: root },
    )
    await new Promise<void>((goingOn) => npm.stdout.on('data', (data) => `${data}`.includes('Ctrl-C') && goingOn()))
    expect(processesOver(directory).length).toBeGreaterThan(0)
    npm.kill('SIGTERM')
    await expect.poll(() => processesOver(directory), { timeout: 15_000 }).toEqual([])
    expect(existsSync(join(directory, 'pid'))).toBe(false)
  })
})

/** The processes that name a directory when they are started. */
function processesOver(directory: string): string[] {
  const { stdout } = spawnSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' })
  return stdout.split('\n').filter((line) => line.includes(directory) && !line.includes('ps -eo'))
}
