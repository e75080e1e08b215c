import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Ports } from '../../local/functions.ts'
import { announceRuns } from '../../local/runs.ts'
import { functionNames } from '../../shared/lifecycles.ts'

let functions = ''
beforeEach(() => {
  functions = mkdtempSync(join(tmpdir(), 'runs-'))
  for (const name of functionNames) mkdirSync(join(functions, name))
})
afterEach(() => rmSync(functions, { recursive: true }))

const portsFrom = (first: number) =>
  Object.fromEntries(functionNames.map((name, index) => [name, first + index])) as Ports
const runsOf = (name: string) => join(functions, name, '.func/runs')
const found = (name: string) => readdirSync(runsOf(name)).sort()

/** A run as another process would have announced it. */
const leave = (name: string, port: string, pid?: number | string) => {
  mkdirSync(join(runsOf(name), port), { recursive: true })
  if (pid !== undefined) writeFileSync(join(runsOf(name), port, 'pid'), `${pid}`)
}

const startOther = () =>
  spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] })

describe('announceRuns', () => {
  it('makes a directory for each function, named like its port, and takes them back', () => {
    const takeBack = announceRuns(functions, portsFrom(9000))
    expect(functionNames.map((name) => found(name))).toEqual(functionNames.map((_, index) => [`${9000 + index}`]))
    takeBack()
    for (const name of functionNames) expect(found(name)).toEqual([])
  })

  it('removes what a killed process left, and leaves what others have', async () => {
    const [ended, other] = [startOther(), startOther()]
    ended.kill('SIGKILL')
    await once(ended, 'exit')
    leave('validate', '8001', ended.pid)
    leave('validate', '8002', other.pid)
    // Of `func run`, and of a process that is about to write its number.
    leave('validate', '8003')
    leave('validate', '8004', '')
    const takeBack = announceRuns(functions, portsFrom(9000))
    const port = `${9000 + functionNames.indexOf('validate')}`
    expect(found('validate')).toEqual(['8002', '8003', '8004', port])
    takeBack()
    expect(found('validate')).toEqual(['8002', '8003', '8004'])
    other.kill()
    await once(other, 'exit')
  })

  it('takes back what it made when it cannot make all', () => {
    rmSync(join(functions, 'verify'), { recursive: true })
    writeFileSync(join(functions, 'verify'), 'no folder')
    expect(() => announceRuns(functions, portsFrom(9000))).toThrow(/^Cannot use .*verify\/\.func\/runs\/\d+: ENOTDIR/)
    const before = functionNames.slice(0, functionNames.indexOf('verify'))
    expect(before.map((name) => found(name))).toEqual(before.map(() => []))
  })
})
