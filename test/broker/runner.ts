import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Runs the recorded cases of a Broker's behaviour, and reads what their runner prints. */

const root = join(import.meta.dirname, '../..')

export interface Result {
  passed: number
  failed: string[]
  /** What the runner printed about each failed case. */
  details: string
}

/** Runs the cases; `options` say on which Broker. A runner that ends early throws. */
export async function runCases(options: string[]): Promise<Result> {
  const output = await capture([join(import.meta.dirname, 'cases/run.mjs'), ...options])
  const lines = output.split('\n')
  const failed = lines.flatMap((line) => /^FAIL {2}([^:]+):/.exec(line)?.[1] ?? [])
  const passed = lines.filter((line) => line.startsWith('pass ')).length
  if (!/^run 1: /m.test(output)) throw new Error(`Cannot run the cases: the runner ended early\n${output}`)
  const isDetail = (line: string, index: number) => line.startsWith('FAIL') || (/^ {8}/.test(line) && index > 0)
  return { passed, failed, details: lines.filter(isDetail).join('\n') }
}

/** Runs those that failed once more, one after the other: a case that measures pauses wants the processor for itself. */
export async function runAgain(failed: string[], options: string[]): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'broker-again-'))
  try {
    writeFileSync(join(folder, 'just.json'), JSON.stringify(failed))
    return await runCases([...options, '--just', join(folder, 'just.json'), '--jobs', '1'])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function capture(command: string[]): Promise<string> {
  const child = spawn(process.execPath, command, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const chunks: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  await new Promise((resolve) => child.once('close', resolve))
  return Buffer.concat(chunks).toString('utf8')
}
