import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { bundle } from '../../scripts/build.ts'
import { type Engine, openEngine } from './engine.ts'
import { runTool } from './tools.ts'

/** The real `func build` at the root, up to what it gives to the builder image; and what that image does with it. */

const plane = inject('controlPlane')
if (!plane) throw new Error('Cannot run on the stand-ins: this is about the real func')
const root = new URL('../..', import.meta.url).pathname
const home = mkdtempSync(join(tmpdir(), 'drover-build-'))

let engine: Engine
let said: string
beforeAll(async () => {
  const copy = join(home, 'copy')
  const files = execFileSync('git', ['ls-files', '-z', '--cached'], { cwd: root, encoding: 'utf8' }).split('\0')
  for (const file of files.filter((one) => one !== '')) cpSync(join(root, file), join(copy, file))
  for (const file of ['.drover/secrets.json', 'node_modules/it/index.js', 'dist/old.cjs', 'local.log']) {
    mkdirSync(dirname(join(copy, file)), { recursive: true })
    writeFileSync(join(copy, file), 'not for the image')
  }
  engine = await openEngine()
  const args = ['build', '-p', copy, '--image', 'registry.example.com/drover:v1']
  said = (await runTool(plane, home, 'func', args, { DOCKER_HOST: engine.host })).said
  mkdirSync(join(home, 'tmp'))
  execFileSync('tar', ['-x', '-f', '-', '-C', join(home, 'tmp')], { input: engine.asked.input })
})
afterAll(() => {
  engine.close()
  rmSync(home, { recursive: true, force: true })
})

describe('func build', () => {
  it('starts the builder image that has Node 24 and git, with what the image is to be run by', () => {
    const { image, user, env, command } = engine.asked
    expect(image, said).toBe('registry.access.redhat.com/ubi9/nodejs-24:9.8')
    expect(user).toBe('1001')
    expect(env).toEqual(expect.arrayContaining(['NODE_CMD=node dist/drover.cjs', 'INIT_WRAPPER=true']))
    expect(command.at(-1)).toMatch(/^tar -C \/tmp -xf - && \/usr\/libexec\/s2i\/assemble$/)
  })

  it('gives it what is to be built, and nothing of `npm run local` with its secrets', () => {
    const names = execFileSync('ls', ['-A', join(home, 'tmp/src')], { encoding: 'utf8' })
      .trim()
      .split('\n')
    expect(names).toEqual(
      expect.arrayContaining(['functions', 'package-lock.json', 'package.json', 'scripts', 'shared']),
    )
    for (const name of ['.drover', '.git', 'node_modules', 'dist', 'test', 'broker', 'local.log'])
      expect(names).not.toContain(name)
    expect(engine.asked.input.includes('not for the image')).toBe(false)
  })

  it('gives it enough: `npm run build` makes the same bundle of it', () => {
    const source = join(home, 'tmp/src')
    // In place of `npm ci`.
    symlinkSync(join(root, 'node_modules'), join(source, 'node_modules'))
    execFileSync(process.execPath, ['scripts/build.ts'], { cwd: source })
    expect(readFileSync(join(source, 'dist/drover.cjs')).equals(readFileSync(bundle))).toBe(true)
  })
})
