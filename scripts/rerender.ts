import { realpath, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf } from '../shared/errors.ts'
import type { Change } from '../shared/fleet.ts'
import { openTree } from './folder-tree.ts'
import { type Drift, driftIn } from './rerender/drift.ts'

/**
 * `npm run rerender -- --fleet DIR`: which manifests of a fleet are not what their definitions render to with this version of
 * Drover. With `--write` it puts them right in the folder; to commit them is left to whoever has looked at them.
 */

const usage = 'npm run rerender -- --fleet DIR [--write]'

/** A large fleet takes minutes: every so many machines it says how far it is. */
const stretch = 1000

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      fleet: { type: 'string' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return void process.stdout.write(`${usage}\n`)
  const { fleet, write } = values
  if (fleet === undefined) throw new Error(`Cannot compare: no clone of the fleet repository is named; ${usage}`)
  const tree = await openTree(fleet)
  const root = await realpath(fleet)
  const found: Drift[] = []
  for await (const one of driftIn(tree)) {
    found.push(one)
    if (found.length % stretch === 0) process.stderr.write(`looked at ${found.length}\n`)
  }
  if (found.length === 0) throw new Error(`Cannot compare: ${fleet} has no machine and no image; ${usage}`)
  const left = found.filter(({ problems }) => problems.length > 0)
  const otherwise = found.filter(({ changes, problems }) => changes.length > 0 && problems.length === 0)
  for (const { what, problems } of left) for (const problem of problems) say(`${what}: ${problem}`)
  for (const { what, changes } of otherwise)
    for (const change of changes) {
      if (write) await put(root, change)
      say(`${what}: ${change.path} ${wordFor(change, write)}`)
    }
  say(closing(found.length - otherwise.length - left.length, otherwise.length, left.length, write))
  if (left.length > 0 || (otherwise.length > 0 && !write)) process.exitCode = 1
}

async function put(root: string, { path, content }: Change): Promise<void> {
  const file = join(root, path)
  // A folder that is a link may lead out of the clone.
  if ((await realpath(dirname(file))) !== dirname(file)) throw new Error(`Cannot write ${path}: it is behind a link`)
  await rm(file, { force: true })
  if (content !== null) await writeFile(file, content)
}

function wordFor({ content }: Change, write: boolean): string {
  if (content === null) return write ? 'is removed' : 'is not rendered any more'
  return write ? 'is written' : 'is rendered otherwise'
}

function closing(alike: number, otherwise: number, left: number, write: boolean): string {
  const then = otherwise === 0 ? '' : write ? ' (written: git diff shows it)' : ' (--write renders them anew)'
  return `Machines and images: ${alike} alike, ${otherwise} rendered otherwise${then}, ${left} left for you to look at`
}

const say = (line: string) => process.stdout.write(`${line}\n`)

try {
  await main()
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 1
}
