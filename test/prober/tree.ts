import { execFile, spawn } from 'node:child_process'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** Every file of a branch: path to text. */
export async function readTree(repository: string, revision = 'main'): Promise<Map<string, string>> {
  const args = ['--git-dir', repository, 'ls-tree', '-r', '-z', '--format=%(objectname) %(path)', revision]
  const { stdout } = await execute('git', args, { maxBuffer: 1 << 28 })
  const entries = stdout
    .split('\0')
    .flatMap((line) => (line === '' ? [] : [[line.slice(0, 40), line.slice(41)] as const]))
  const texts = await readBlobs(
    repository,
    entries.map(([id]) => id),
  )
  return new Map(entries.map(([, path], at) => [path, texts[at] ?? '']))
}

/** The first commit's paths: what people had written before anybody asked for anything. */
export async function firstPaths(repository: string): Promise<Map<string, string>> {
  const { stdout } = await execute('git', ['--git-dir', repository, 'rev-list', '--max-parents=0', 'main'])
  return readTree(repository, stdout.trim())
}

async function readBlobs(repository: string, ids: readonly string[]): Promise<string[]> {
  const child = spawn('git', ['--git-dir', repository, 'cat-file', '--batch', '--buffer'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(ids.map((id) => `${id}\n`).join(''))
  const bytes = await buffer(child.stdout)
  let at = 0
  return ids.map(() => {
    const end = bytes.indexOf('\n', at)
    const size = Number(bytes.toString('latin1', at, end).split(' ')[2])
    at = end + 1 + size + 1
    return bytes.toString('utf8', end + 1, end + 1 + size)
  })
}

/** What git itself says of a repository: nothing where it is whole. */
export async function damageOf(repository: string): Promise<string[]> {
  const args = ['--git-dir', repository, 'fsck', '--full', '--strict', '--no-dangling', '--no-progress']
  return execute('git', args, { maxBuffer: 1 << 26 }).then(
    () => [],
    (error: { stdout?: string; stderr?: string }) => `${error.stdout ?? ''}${error.stderr ?? ''}`.trim().split('\n'),
  )
}
