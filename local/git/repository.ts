import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { access, mkdir } from 'node:fs/promises'
import { promisify } from 'node:util'

const execute = promisify(execFile)

export type Settings = Readonly<Record<string, string>>

/** How the repository is served. Given to each process, so that a repository from elsewhere needs no change. */
const SETTINGS: Settings = {
  'uploadpack.allowFilter': 'true',
  'uploadpack.allowAnySHA1InWant': 'true',
  'receive.denyNonFastForwards': 'true',
  'receive.denyDeletes': 'true',
  'receive.fsckObjects': 'true',
  'receive.autogc': 'false',
  // A push stays one file, with its index: a disk takes longer for a file of each object than git for all else.
  'receive.unpackLimit': '1',
  // What is being received borrows the repository's objects; nobody needs to be told which commits those are.
  'core.alternateRefsCommand': 'true',
}

export type Environment = Readonly<Record<string, string | undefined>>

/** What a Git process on the server's side gets to know: no settings of whoever started us. */
export function serverEnvironment(env: Environment | undefined): Record<string, string> {
  return {
    PATH: env?.['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
  }
}

/** As serverEnvironment, and how the repository is to be served. */
export function servingEnvironment(env: Environment | undefined, settings: Settings = {}): Record<string, string> {
  const entries = Object.entries({ ...SETTINGS, ...settings })
  const variables = entries.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ])
  return { ...serverEnvironment(env), GIT_CONFIG_COUNT: String(entries.length), ...Object.fromEntries(variables) }
}

/** Creates the bare repository with its branch, unless it is there. */
export async function prepareRepository(path: string, branch: string, env?: Environment): Promise<void> {
  if (await exists(`${path}/HEAD`)) return
  await mkdir(path, { recursive: true })
  const args = ['init', '--quiet', '--bare', '--template=', `--initial-branch=${branch}`, path]
  await execute('git', args, { env: serverEnvironment(env) })
}

/** Puts what many pushes left into few files, beside whatever is going on; nothing is lost, also when it is broken off. */
export function startTidying(path: string, env: Environment | undefined): ChildProcess {
  const args = [`--git-dir=${path}`, 'repack', '--geometric=2', '-d', '-l', '-q']
  // What cannot be tidied now can be the next time.
  return spawn('git', args, { env: serverEnvironment(env), stdio: 'ignore' }).on('error', () => undefined)
}

/** Whether there is something at a path. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
