import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { environment } from '../../../shared/config.ts'
import { credentialsFolder } from '../../../shared/images/guest-paths.ts'
import { packagesScript } from '../../../shared/images/packages-script.ts'

/** The script that works on packages inside the guest, with stand-ins for the guest's tools; the real ones are in test/guest/. */

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-packages-'))
  mkdirSync(join(folder, 'bin'))
  mkdirSync(join(folder, 'subscription'))
  writeFileSync(join(folder, 'subscription/org'), '17204431')
  writeFileSync(join(folder, 'subscription/activationKey'), 'key-7f3a9c')
  tool('sync', '')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A tool of the guest, which notes how it was called before it does anything else. */
function tool(name: string, script: string): void {
  const path = join(folder, 'bin', name)
  writeFileSync(path, `#!/bin/sh\necho "${name} $*" >>"${folder}/calls"\n${script}\n`)
  chmodSync(path, 0o755)
}

const calls = () =>
  existsSync(join(folder, 'calls')) ? readFileSync(join(folder, 'calls'), 'utf8').trimEnd().split('\n') : []
const called = (word: string) => calls().filter((line) => line.startsWith(`subscription-manager ${word}`)).length

const subscription = { secret: 'rhel', org: 'org', activationKey: 'activationKey' }

/** Runs the script as the guest would, but in a folder of its own. */
function start() {
  const text = (packagesScript({ subscription, update: true, packages: { install: ['nginx'] } }) ?? '')
    .replaceAll(credentialsFolder, join(folder, 'subscription'))
    .replaceAll('/ostree', join(folder, 'ostree'))
    .replaceAll('/etc/pki/consumer/cert.pem', join(folder, 'cert.pem'))
  writeFileSync(join(folder, 'packages.sh'), text)
  const path = `${join(folder, 'bin')}:${environment()['PATH']}`
  const child = spawn('sh', [join(folder, 'packages.sh')], { env: { PATH: path }, stdio: ['ignore', 'pipe', 'pipe'] })
  const said: string[] = []
  child.stderr.on('data', (data: Buffer) => said.push(data.toString()))
  const ended = once(child, 'close').then(([status]) => ({ status: status as number | null, said: said.join('') }))
  return { child, ended }
}

/** Waits until a tool was called. */
async function until(line: string): Promise<void> {
  while (!calls().some((one) => one.startsWith(line))) await sleep(10)
}

const registers = (then = '') => tool('subscription-manager', `case $1 in ${then} esac`)
const hangs = 'exec sleep 30'

describe("the guest's subscription", { timeout: 20_000 }, () => {
  it('lasts as long as the work on packages', async () => {
    registers()
    tool('dnf', '')
    expect(await start().ended).toMatchObject({ status: 0 })
    expect(calls()).toEqual([
      'subscription-manager register --org=17204431 --activationkey=key-7f3a9c',
      'dnf -y upgrade',
      'dnf -y install nginx',
      'subscription-manager unregister',
      'subscription-manager clean',
      'sync',
    ])
    expect(existsSync(join(folder, 'subscription'))).toBe(false)
  })

  it.each(['SIGHUP', 'SIGINT', 'SIGTERM'] as const)('ends when %s ends the work', async (signal) => {
    registers()
    tool('dnf', hangs)
    const { child, ended } = start()
    await until('dnf')
    child.kill(signal)
    // A shell hears of a signal when the program that it waits for has ended; it is ended with it, as in the appliance.
    endTools(child.pid)
    expect(await ended).toMatchObject({ status: 1 })
    expect([called('register'), called('unregister'), called('clean')]).toEqual([1, 1, 1])
    expect(existsSync(join(folder, 'subscription'))).toBe(false)
  })

  it.each(['SIGHUP', 'SIGINT', 'SIGTERM'] as const)(
    'ends when %s comes while it is being asked for',
    async (signal) => {
      registers(`register) ${hangs} ;;`)
      tool('dnf', '')
      const { child, ended } = start()
      await until('subscription-manager register')
      child.kill(signal)
      endTools(child.pid)
      expect(await ended).toMatchObject({ status: 1 })
      expect([called('unregister'), called('clean')]).toEqual([1, 1])
      expect(calls().some((line) => line.startsWith('dnf'))).toBe(false)
      expect(existsSync(join(folder, 'subscription'))).toBe(false)
    },
  )

  it('is given back where it was refused half way: the server may know the guest already', async () => {
    registers('register) exit 70 ;;')
    tool('dnf', '')
    expect(await start().ended).toMatchObject({ status: 70 })
    expect([called('unregister'), called('clean')]).toEqual([1, 1])
    expect(calls().some((line) => line.startsWith('dnf'))).toBe(false)
    expect(existsSync(join(folder, 'subscription'))).toBe(false)
  })

  it('ends when the work fails, and the work is what is said to have failed', async () => {
    registers()
    tool('dnf', 'exit 3')
    expect(await start().ended).toMatchObject({ status: 3 })
    expect([called('unregister'), called('clean')]).toEqual([1, 1])
  })

  it('that cannot be given back fails work that was done', async () => {
    registers('unregister) exit 1 ;;')
    tool('dnf', '')
    expect(await start().ended).toMatchObject({
      status: 1,
      said: 'error: the subscription could not be given back\n',
    })
    expect(called('clean')).toBe(1)
    expect(existsSync(join(folder, 'subscription'))).toBe(false)
  })

  it('that the guest had before is left to it, whatever becomes of the work', async () => {
    writeFileSync(join(folder, 'cert.pem'), 'a certificate')
    registers()
    tool('dnf', 'exit 3')
    expect(await start().ended).toMatchObject({ status: 3 })
    expect([called('register'), called('unregister'), called('clean')]).toEqual([0, 0, 0])
    expect(existsSync(join(folder, 'subscription'))).toBe(false)
  })
})

/** Ends what a shell waits for. */
function endTools(shell: number | undefined): void {
  const children = readFileSync(`/proc/${shell}/task/${shell}/children`, 'utf8').trim().split(' ')
  for (const child of children) if (child !== '') process.kill(Number(child), 'SIGKILL')
}
