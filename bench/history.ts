import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Change } from '../shared/fleet.ts'

const execute = promisify(execFile)
const most = { maxBuffer: 1 << 30 }

/** The newest commit of a repository on disk. */
export async function tipOf(repository: string): Promise<string> {
  const { stdout } = await execute('git', [`--git-dir=${repository}`, 'rev-parse', 'main'])
  return stdout.trim()
}

/** What each commit since then has changed, the oldest first. */
export async function commitsSince(repository: string, commit: string): Promise<Change[][]> {
  const args = [
    'log',
    '--reverse',
    '--raw',
    '--no-abbrev',
    '--no-renames',
    '--format=tformat:commit',
    `${commit}..main`,
  ]
  const { stdout } = await execute('git', [`--git-dir=${repository}`, ...args], most)
  const files = [...stdout.matchAll(/^:\d+ \d+ \w+ (\w+) \w\t(.*)$/gm)]
  const blobs = await blobsOf(
    repository,
    [...new Set(files.map(([, oid = '']) => oid))].filter((oid) => !isNone(oid)),
  )
  return stdout
    .split(/^commit$/m)
    .slice(1)
    .map((text) =>
      [...text.matchAll(/^:\d+ \d+ \w+ (\w+) \w\t(.*)$/gm)].map(([, oid = '', path = '']) => ({
        path,
        content: blobs.get(oid) ?? null,
      })),
    )
}

const isNone = (oid: string) => /^0+$/.test(oid)

async function blobsOf(repository: string, oids: readonly string[]): Promise<Map<string, string>> {
  const reading = execute('git', [`--git-dir=${repository}`, 'cat-file', '--batch'], { ...most, encoding: 'buffer' })
  reading.child.stdin?.end(oids.map((oid) => `${oid}\n`).join(''))
  const { stdout } = await reading
  const blobs = new Map<string, string>()
  for (let at = 0; at < stdout.length; ) {
    const end = stdout.indexOf(0x0a, at)
    const [oid = '', , size = '0'] = stdout.toString('latin1', at, end).split(' ')
    blobs.set(oid, stdout.toString('utf8', end + 1, end + 1 + Number(size)))
    at = end + 1 + Number(size) + 1
  }
  return blobs
}
