import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { environment } from '../../../shared/config.ts'
import { toCustomized } from '../../../shared/images/customized.ts'
import { podScript } from '../../../shared/images/pod-script.ts'

/** The pod's script with stand-ins for the tools, which only say what they are told to; the real ones are in test/guest/. */

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-pod-script-'))
  for (const name of ['bin', 'files', 'secrets/root', 'scratch']) mkdirSync(join(folder, name), { recursive: true })
  write('disk.img', 'a disk')
  write('customize.sh', podScript)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const write = (path: string, content: string, mode = 0o644) => writeFileSync(join(folder, path), content, { mode })
const read = (path: string) => readFileSync(join(folder, path), 'utf8')

interface Tools {
  /** What virt-customize prints, and how it ends. */
  says?: string
  status?: number
  options?: string
  /** The lines that virt-cat finds in the guest. */
  lists?: string
}

function run({ says = '', status = 0, options = '--no-selinux-relabel', lists = '' }: Tools, env: object = {}) {
  write('says', says)
  write('lists', lists)
  write(
    'bin/virt-customize',
    `#!/bin/sh\n[ "$1" != --long-options ] || { echo "${options}"; exit; }\necho "$*" >"${folder}/called"\ncat "${folder}/says"\nexit ${status}\n`,
    0o755,
  )
  write('bin/virt-cat', `#!/bin/sh\nexec cat "${folder}/lists"\n`, 0o755)
  write('message', '')
  const ended = spawnSync('bash', [join(folder, 'customize.sh')], {
    encoding: 'utf8',
    env: {
      PATH: `${join(folder, 'bin')}:${environment()['PATH']}`,
      CUSTOMIZE_DIR: folder,
      DISK: join(folder, 'disk.img'),
      REPORT: 'true',
      SELINUX_RELABEL: 'true',
      TERMINATION_LOG: join(folder, 'message'),
      LIBGUESTFS_TMPDIR: join(folder, 'scratch'),
      ...env,
    },
  })
  const message = read('message')
  return { status: ended.status, log: ended.stdout + ended.stderr, message, customized: toCustomized(message) }
}

const failed = (line: string): Tools => ({ says: `${line}\n`, status: 1 })

describe("the pod's script", () => {
  it('says the format before the disk, and the commands after it', () => {
    expect(run({}).status).toBe(0)
    expect(read('called')).toBe(`--format=raw -a ${join(folder, 'disk.img')} --commands-from-file files/commands\n`)
  })

  it.each([
    ['a tool that relabels, and may', '--no-selinux-relabel', 'true', ''],
    ['a tool that relabels, and may not', '--no-selinux-relabel', 'false', '--no-selinux-relabel '],
    ['an older tool that may relabel', '--selinux-relabel', 'true', '--selinux-relabel '],
    ['an older tool that may not', '--selinux-relabel', 'false', ''],
  ])('gives %s the option that it knows', (_, options, wanted, option) => {
    run({ options }, { SELINUX_RELABEL: wanted })
    expect(read('called')).toContain(`disk.img ${option}--commands-from-file`)
  })

  it('tells what changed, what came and what went, and nothing of what stayed', () => {
    const lists = 'before a 1\nbefore b 1\nbefore c 1\nafter b 2\nafter c 1\nafter d 1\n'
    expect(run({ lists }).customized).toEqual({
      done: true,
      packages: { before: 3, changes: 3, changed: ['a 1 -> none', 'b 1 -> 2', 'd none -> 1'], truncated: false },
    })
  })

  it('tells that nothing changed', () => {
    expect(run({ lists: 'before a 1\nafter a 1\n' }).customized).toEqual({
      done: true,
      packages: { before: 1, changes: 0, changed: [], truncated: false },
    })
  })

  it('counts a second version beside the first, as kernels have it', () => {
    const lists = 'before kernel 5.14\nafter kernel 5.14\nafter kernel 5.15\n'
    expect(run({ lists }).customized).toMatchObject({ packages: { changed: ['kernel none -> 5.15'] } })
  })

  it('keeps a long list below what a termination message holds', () => {
    const names = Array.from({ length: 500 }, (_, at) => `library-with-a-long-name-${at}`)
    const lists = names.map((name) => `before ${name} 1.0\nafter ${name} 1.1\n`).join('')
    const { message, customized } = run({ lists })
    expect(Buffer.byteLength(message)).toBeLessThan(4096)
    expect(customized).toMatchObject({ done: true, packages: { before: 500, changes: 500, truncated: true } })
  })

  it('takes no character from a guest that is none of a package', () => {
    const { status, customized } = run({ lists: 'before "a\\ 1\nafter $(reboot)`x`","é 2\n' })
    expect(status).toBe(0)
    expect(customized).toMatchObject({ packages: { changed: ['(reboot)x none -> 2', 'a 1 -> none'] } })
  })

  it('gives the last error of virt-customize as the reason', () => {
    const says = 'virt-customize: error: one\nvirt-customize: error: two\n\nIf reporting bugs, …\n'
    expect(run({ says, status: 1 })).toMatchObject({
      status: 1,
      customized: { done: false, reason: 'virt-customize: error: two' },
    })
  })

  it('says so when virt-customize says nothing', () => {
    expect(run({ status: 2 }).customized).toEqual({
      done: false,
      reason: 'virt-customize failed and did not say why',
    })
  })

  it('writes a reason that is JSON, on one line, whatever was said', () => {
    const { customized } = run(failed('virt-customize: error: "a" \\ b\tc \u001b[31m é'))
    expect(customized).toEqual({ done: false, reason: 'virt-customize: error: "a" \\ b c  [31m   ' })
    expect(run(failed(`virt-customize: error: ${'"'.repeat(5000)}`)).message.length).toBeLessThan(4096)
  })

  it('shows no secret in its log or its reason, not even one that is a part of another', () => {
    write('secrets/root/long', 'correct-horse-battery\n')
    write('secrets/root/short', 'correct')
    write('secrets/root/lines', 'first-line\r\nsecond-line\n')
    const { log, customized } = run(
      failed('virt-customize: error: correct-horse-battery, correct, first-line and second-line'),
    )
    const reason = 'virt-customize: error: [redacted], [redacted], [redacted] and [redacted]'
    expect(customized).toEqual({ done: false, reason })
    expect(log).toBe(`${reason}\nerror: ${reason}\n`)
  })

  it.each([
    [
      'a disk that is not there',
      { DISK: '/nowhere/disk.img' },
      'Cannot open the disk /nowhere/disk.img: it is not there',
    ],
    ['a folder', { DISK: '/tmp' }, 'Cannot open the disk /tmp: it is not there'],
  ])('refuses %s before anything is changed', (_, env, reason) => {
    expect(run({}, env)).toMatchObject({ status: 1, customized: { done: false, reason } })
  })

  it('fails with a reason when the list cannot be read', () => {
    write('bin/comm', '#!/bin/sh\nexit 3\n', 0o755)
    expect(run({ lists: 'before a 1\n' }).customized).toEqual({
      done: false,
      reason: 'Cannot customize the disk: the script ended with 3',
    })
  })
})
