import { execFile } from 'node:child_process'
import { access, mkdir } from 'node:fs/promises'
import { promisify } from 'node:util'

const execute = promisify(execFile)

const SETTINGS = {
  'http.receivepack': 'true',
  'uploadpack.allowFilter': 'true',
  'uploadpack.allowAnySHA1InWant': 'true',
  'receive.denyNonFastForwards': 'true',
  'receive.denyDeletes': 'true',
  'receive.fsckObjects': 'true',
  'receive.autogc': 'false',
  'core.logAllRefUpdates': 'false',
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

/** Creates the bare repository with its branch, unless it is there, and sets it up to be served. */
export async function prepareRepository(path: string, branch: string, env?: Environment): Promise<void> {
  const git = (...args: string[]) => execute('git', args, { env: serverEnvironment(env) })
  if (!(await exists(`${path}/HEAD`))) {
    await mkdir(path, { recursive: true })
    await git('init', '--quiet', '--bare', '--template=', `--initial-branch=${branch}`, path)
  }
  for (const [key, value] of Object.entries(SETTINGS)) await git(`--git-dir=${path}`, 'config', key, value)
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
