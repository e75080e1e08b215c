/**
 * Runs the recorded cases against the local Broker, as the command line starts it. A case that fails gets a second chance
 * when the rest is done, because cases that measure pauses cannot pass while something else holds the processor.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { freePort } from '../free-port.ts'
import { runAgain, runCases } from './runner.ts'

const here = import.meta.dirname
const exceptions = join(here, 'exceptions.json')

const { jobs, patience, only } = parseArgs({
  options: {
    jobs: { type: 'string', default: '8' },
    patience: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
}).values

/** How the runner reaches a local Broker of its own. */
async function onLocal(): Promise<string[]> {
  const port = await freePort()
  const setup = `exec "${process.execPath}" local/broker/main.ts --quiet --while-stdin --port ${port} --dir {dir}`
  return ['--broker', `http://127.0.0.1:${port}`, '--setup', setup, '--patience', patience]
}

/** The exceptions, checked against the table so that none outlives its case. */
function readExceptions(): string[] {
  const files = readdirSync(join(here, 'cases')).filter((name) => name.endsWith('.json'))
  const tables = files.map((name) => JSON.parse(readFileSync(join(here, 'cases', name), 'utf8')) as Table)
  const names = new Set(tables.flatMap(({ topic, cases }) => cases.map(({ id }) => `${topic}/${id}`)))
  const listed = Object.keys(JSON.parse(readFileSync(exceptions, 'utf8')) as Record<string, string>)
  const unknown = listed.filter((name) => !names.has(name))
  if (unknown.length > 0) throw new Error(`Cannot skip ${unknown.join(', ')}: wanted names of cases`)
  return listed
}

interface Table {
  topic: string
  cases: { id: string }[]
}

const skipped = only === undefined ? readExceptions().length : 0
const first = await runCases([
  ...(await onLocal()),
  ...['--skip', exceptions, '--jobs', jobs],
  ...(only === undefined ? [] : ['--only', only]),
])
const second =
  first.failed.length > 0 ? await runAgain(first.failed, await onLocal()) : { passed: 0, failed: [], details: '' }
if (first.failed.length > 0) process.stdout.write(`tried twice: ${first.failed.join(', ')}\n`)
if (second.details !== '') process.stdout.write(`${second.details}\n`)
process.stdout.write(`${first.passed + second.passed} passed, ${second.failed.length} failed, ${skipped} skipped\n`)
process.exitCode = second.failed.length > 0 || first.passed + second.passed === 0 ? 1 : 0
