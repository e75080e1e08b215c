import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf } from '../shared/errors.ts'
import type { Change } from '../shared/fleet.ts'
import { openTree } from './folder-tree.ts'
import { differencesIn } from './rerender/differences.ts'

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
  let [looked, otherwise, left] = [0, 0, 0]
  for await (const { what, changes, problems } of differencesIn(await openTree(fleet))) {
    looked += 1
    if (looked % stretch === 0) process.stderr.write(`looked at ${looked}\n`)
    for (const problem of problems) say(`${what}: ${problem}`)
    if (problems.length > 0) left += 1
    else if (changes.length > 0) {
      otherwise += 1
      for (const change of changes) say(`${what}: ${change.path} ${await wordFor(change, fleet, write)}`)
    }
  }
  if (looked === 0) throw new Error(`Cannot compare: ${fleet} has no machine and no image; ${usage}`)
  say(closing(looked - otherwise - left, otherwise, left, write))
  if (left > 0 || (otherwise > 0 && !write)) process.exitCode = 1
}

async function wordFor({ path, content }: Change, fleet: string, write: boolean): Promise<string> {
  const file = join(fleet, path)
  if (write && content === null) await rm(file)
  if (write && content !== null) {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content)
  }
  if (content === null) return write ? 'is removed' : 'is not rendered any more'
  return write ? 'is written' : 'is rendered otherwise'
}

function closing(alike: number, otherwise: number, left: number, write: boolean): string {
  const then =
    otherwise === 0 ? '' : write ? ' (written: look at git diff, and commit it)' : ' (--write renders them anew)'
  return `Machines and images: ${alike} alike, ${otherwise} rendered otherwise${then}, ${left} left for you to look at`
}

const say = (line: string) => process.stdout.write(`${line}\n`)

try {
  await main()
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 1
}
