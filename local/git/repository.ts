import { execFile } from 'node:child_process'
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

/** Whether there is something at a path. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
