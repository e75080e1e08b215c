/**
 * Runs the recorded cases against the local Broker, as the command line starts it. A case that fails gets a second chance
 * when the rest is done, because cases that measure pauses cannot pass while something else holds the processor.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { freePort } from '../free-port.ts'

const here = import.meta.dirname
const root = join(here, '../..')
const exceptions = join(here, 'exceptions.json')

const { jobs, patience, only } = parseArgs({
  options: {
    jobs: { type: 'string', default: '8' },
    patience: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
}).values

interface Result {
  passed: number
  failed: string[]
  /** What the runner printed about each failed case. */
  details: string
}

async function runCases(options: string[]): Promise<Result> {
  const port = await freePort()
  const setup = `exec "${process.execPath}" local/broker/main.ts --quiet --while-stdin --port ${port} --dir {dir}`
  const common = ['--broker', `http://127.0.0.1:${port}`, '--setup', setup, '--patience', patience]
  const output = await capture([join(here, 'cases/run.mjs'), ...common, ...options])
  const lines = output.split('\n')
  const failed = lines.flatMap((line) => /^FAIL {2}([^:]+):/.exec(line)?.[1] ?? [])
  const passed = lines.filter((line) => line.startsWith('pass ')).length
  if (!/^run 1: /m.test(output)) throw new Error(`Cannot run the cases: the runner ended early\n${output}`)
  const isDetail = (line: string, index: number) => line.startsWith('FAIL') || (/^ {8}/.test(line) && index > 0)
  return { passed, failed, details: lines.filter(isDetail).join('\n') }
}

async function capture(command: string[]): Promise<string> {
  const child = spawn(process.execPath, command, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const chunks: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  await new Promise((resolve) => child.once('close', resolve))
  return Buffer.concat(chunks).toString('utf8')
}

async function again(failed: string[]): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'broker-again-'))
  try {
    writeFileSync(join(folder, 'just.json'), JSON.stringify(failed))
    return await runCases(['--just', join(folder, 'just.json'), '--jobs', '1'])
  } finally {
    rmSync(folder, { recursive: true })
  }
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
const first = await runCases(['--skip', exceptions, '--jobs', jobs, ...(only === undefined ? [] : ['--only', only])])
const second = first.failed.length > 0 ? await again(first.failed) : { passed: 0, failed: [], details: '' }
if (first.failed.length > 0) process.stdout.write(`tried twice: ${first.failed.join(', ')}\n`)
if (second.details !== '') process.stdout.write(`${second.details}\n`)
process.stdout.write(`${first.passed + second.passed} passed, ${second.failed.length} failed, ${skipped} skipped\n`)
process.exitCode = second.failed.length > 0 || first.passed + second.passed === 0 ? 1 : 0
