import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DroverError } from '../../errors.ts'
import { quoted } from '../../shell-word.ts'
import { inTurn } from '../coalesce.ts'
import { leaveRoom, takeRoom } from './room.ts'

export interface SshConfig {
  /** A private key without a passphrase. */
  keyFile: string
  /** The servers' keys, as ssh-keyscan prints them. */
  knownHostsFile: string
}

/** The ssh that Git starts for an address of ssh. */
export interface Ssh {
  /** The command, with the key and the known hosts of this moment; another one when they have changed. */
  command(): Promise<string>
  close(): Promise<void>
}

/**
 * Prepares ssh with our key and our known hosts alone. ssh takes no key that others may read, as a mounted Secret often is,
 * and none without a line end, as Secrets often hold it: so it gets a copy of its own, in a folder that only we can read.
 */
export function openSsh({ keyFile, knownHostsFile }: SshConfig, parent: string): Ssh {
  let room: string | undefined
  let current: string | undefined
  const command = inTurn(async () => {
    const [key, hosts] = await Promise.all([
      readText(keyFile, 'DROVER_GIT_SSH_KEY_FILE'),
      readText(knownHostsFile, 'DROVER_GIT_KNOWN_HOSTS_FILE'),
    ])
    room ??= await takeRoom(parent, 'ssh')
    const digest = createHash('sha256').update(`${key}\0${hosts}`).digest('hex').slice(0, 12)
    const folder = join(room, digest)
    if (folder !== current || !existsSync(join(folder, 'config'))) {
      const before = current
      // What is written in part counts for nothing.
      current = undefined
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await write(folder, { key, known_hosts: hosts, config: settingsFor(folder) })
      // A command that began with the old ones may fail of it: it is then done again with these.
      if (before && before !== folder) await rm(before, { recursive: true, force: true })
      current = folder
    }
    // Git hands the command to a shell.
    return `ssh -F ${quoted(join(folder, 'config'))}`
  })
  return {
    command,
    close: async () => {
      if (room) await leaveRoom(room)
    },
  }
}

async function readText(path: string, variable: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new DroverError('broken', `Cannot use ssh: the file of ${variable} cannot be read`, { cause })
  })
  return `${text.replaceAll('\r', '').trim()}\n`
}

async function write(folder: string, files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 })
}

/** A file given by -F takes the place of the user's settings and of the machine's. */
function settingsFor(folder: string): string {
  const settings = {
    IdentityFile: quotedForSsh(join(folder, 'key')),
    IdentitiesOnly: 'yes',
    IdentityAgent: 'none',
    PreferredAuthentications: 'publickey',
    BatchMode: 'yes',
    StrictHostKeyChecking: 'yes',
    UserKnownHostsFile: quotedForSsh(join(folder, 'known_hosts')),
    GlobalKnownHostsFile: '/dev/null',
    UpdateHostKeys: 'no',
    VerifyHostKeyDNS: 'no',
    ForwardAgent: 'no',
    ClearAllForwardings: 'yes',
    ControlPath: 'none',
    ConnectTimeout: '20',
    // Notices a line that is dead, long before TCP does.
    ServerAliveInterval: '15',
    LogLevel: 'ERROR',
  }
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value}\n`)
    .join('')
}

const quotedForSsh = (path: string) => `"${path.replaceAll('%', '%%').replace(/["\\]/g, '\\$&')}"`
