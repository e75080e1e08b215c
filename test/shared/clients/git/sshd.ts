import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { servingEnvironment } from '../../../../local/git/repository.ts'
import { listenAt } from '../../../../local/listen.ts'

const execute = promisify(execFile)
const program = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/usr/bin/sshd'].find((path) => existsSync(path))

/** Why tests with a real sshd cannot run here; undefined where they can. */
export const missing = program ? undefined : 'there is no sshd here: install the package openssh-server'

export interface Sshd {
  port: number
  /** A key that is let in; the file with its private half has this mode. */
  makeKey(name: string, mode?: number): Promise<string>
  /** Lets in this key and no other. */
  authorize(name: string): Promise<void>
  /** Has this done once, when the next client comes, before it is let in. */
  onConnection(done: () => void): void
  /** What ssh-keyscan would say, for the port at which clients see it. */
  knownHosts(port: number, key?: string): Promise<string>
  /** The address of a repository on this machine. */
  url(path: string, port?: number): string
}

/** A real sshd, for the user who runs the tests; gone when the test ends. It is started for each connection, as by inetd. */
export async function startSshd(): Promise<Sshd> {
  const directory = await mkdtemp(join(tmpdir(), 'drover-sshd-'))
  const authorized = join(directory, 'authorized_keys')
  await makeKeyAt(join(directory, 'host'))
  await writeFile(join(directory, 'sshd_config'), settings(directory))
  // Where root starts it, sshd wants this folder, which a service manager would have made.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true })
  const running = new Set<ChildProcess>()
  let once: (() => void) | undefined
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    once?.()
    once = undefined
    const child = spawn(program ?? 'sshd', ['-i', '-f', join(directory, 'sshd_config')], {
      env: { PATH: '/usr/bin:/bin' },
      stdio: [socket, socket, 'ignore'],
    })
    running.add(child)
    child.once('close', () => running.delete(child))
    child.once('spawn', () => socket.destroy())
  })
  const port = await listenAt(server, 0)
  onTestFinished(async () => {
    for (const child of running) child.kill('SIGKILL')
    await new Promise((resolve) => server.close(resolve))
    await rm(directory, { recursive: true, force: true })
  })
  const authorize = async (name: string) =>
    writeFile(authorized, await readFile(join(directory, 'keys', `${name}.pub`), 'utf8'))
  return {
    port,
    authorize,
    onConnection: (done) => {
      once = done
    },
    makeKey: async (name, mode = 0o600) => {
      const path = join(directory, 'keys', name)
      await mkdir(join(directory, 'keys'), { recursive: true })
      await makeKeyAt(path)
      await authorize(name)
      await chmod(path, mode)
      return path
    },
    knownHosts: async (at, key = join(directory, 'host')) =>
      `[127.0.0.1]:${at} ${(await readFile(`${key}.pub`, 'utf8')).split(' ').slice(0, 2).join(' ')}\n`,
    url: (path, at = port) => `ssh://${userInfo().username}@127.0.0.1:${at}${path}`,
  }
}

async function makeKeyAt(path: string): Promise<void> {
  await execute('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path])
}

function settings(directory: string): string {
  const env = Object.entries(servingEnvironment(undefined)).filter(([name]) => name.startsWith('GIT_CONFIG'))
  return `
HostKey ${directory}/host
AuthorizedKeysFile ${directory}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
AcceptEnv GIT_PROTOCOL
SetEnv ${env.map(([name, value]) => `${name}=${value}`).join(' ')}
`
}
