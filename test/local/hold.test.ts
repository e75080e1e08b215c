import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { holdDirectory } from '../../local/hold.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hold-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

describe('holdDirectory', () => {
  it('makes the directory, and leaves nothing in it when it is let go', () => {
    const inner = join(directory, 'a/b')
    const release = holdDirectory(inner)
    expect(existsSync(join(inner, 'pid'))).toBe(true)
    release()
    expect(existsSync(join(inner, 'pid'))).toBe(false)
  })

  it('refuses a directory that another process holds', async () => {
    const other = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] })
    try {
      writeFileSync(join(directory, 'pid'), `${other.pid}\n`)
      expect(() => holdDirectory(directory)).toThrow(
        `Cannot use ${directory}: process ${other.pid} runs over it; end that, name another --dir, or remove ${directory}/pid if it is not Drover`,
      )
    } finally {
      other.kill()
      await once(other, 'exit')
    }
    expect(() => holdDirectory(directory)).not.toThrow()
  })

  it.each([
    ['our own number', `${process.pid}\n`],
    ['no number', 'x'],
    ['nothing', ''],
  ])('takes over what a killed process left: %s', (_, text) => {
    writeFileSync(join(directory, 'pid'), text)
    expect(() => holdDirectory(directory)).not.toThrow()
  })

  it('says why a directory cannot be made', () => {
    const file = join(directory, 'file')
    writeFileSync(file, '')
    expect(() => holdDirectory(file)).toThrow(`Cannot use ${file}: EEXIST`)
    // Node's recursive mkdir would never end here.
    expect(() => holdDirectory('/proc/drover')).toThrow('Cannot use /proc/drover: ENOENT')
  })
})
