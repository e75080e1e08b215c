import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { type Environment, serverEnvironment } from './repository.ts'

const execute = promisify(execFile)

/** Commits all files of a folder as the first commit, when the repository (or `fleet.git` below the path) is empty; says whether it did. */
export async function seedFleet(
  path: string,
  folder: string,
  options: { branch?: string; env?: Environment } = {},
): Promise<boolean> {
  const repository = (await isFile(join(path, 'HEAD'))) ? path : join(path, 'fleet.git')
  const env = serverEnvironment(options.env)
  const { stdout } = await execute('git', [`--git-dir=${repository}`, 'for-each-ref', '--count=1'], { env })
  if (stdout !== '') return false
  const stream = await toFirstCommit(folder, options.branch ?? 'main')
  const child = spawn('git', [`--git-dir=${repository}`, 'fast-import', '--quiet', '--date-format=now'], {
    env,
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  child.stdin.on('error', () => undefined)
  child.stdin.end(stream)
  const [code] = await once(child, 'close')
  if (code !== 0)
    throw new Error(`Cannot seed ${repository} from ${folder}: git fast-import ended with ${code}, 0 was expected`)
  return true
}

async function toFirstCommit(folder: string, branch: string): Promise<Buffer> {
  const message = 'Begin the fleet\n'
  const ident = 'Drover <drover@localhost> now'
  const parts = [
    Buffer.from(
      `commit refs/heads/${branch}\nauthor ${ident}\ncommitter ${ident}\ndata ${message.length}\n${message}\n`,
    ),
  ]
  for (const file of await filesOf(folder)) {
    const path = relative(folder, file).split(sep).join('/')
    const content = await readFile(file)
    const quoted = `"${path.replace(/["\\]/g, '\\$&')}"`
    parts.push(Buffer.from(`M 100644 inline ${quoted}\ndata ${content.length}\n`), content, Buffer.from('\n'))
  }
  return Buffer.concat(parts)
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}
