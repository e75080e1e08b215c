import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { functionNames } from '../shared/lifecycles.ts'

/** The rooms stay clean because lint fails on what would mix them; here it is shown to fail, in an empty house with our rules. */

let house: string
beforeAll(async () => {
  house = await mkdtemp(join(tmpdir(), 'drover-fences-'))
  const rules = JSON.parse(await readFile('biome.json', 'utf8'))
  await writeFile(join(house, 'biome.json'), JSON.stringify({ ...rules, $schema: undefined, vcs: { enabled: false } }))
  for (const plugin of rules.plugins) await cp(plugin, join(house, plugin), { recursive: true })
})
afterAll(() => rm(house, { recursive: true }))

interface Lint {
  /** The file in which the code would stand. */
  at: string
  code: string
}

/** What lint says of files, each in a house that has nothing else. */
async function lint(...files: Lint[]): Promise<string> {
  for (const { at, code } of files) {
    await mkdir(dirname(join(house, at)), { recursive: true })
    await writeFile(join(house, at), code)
  }
  const args = ['lint', '--colors=off', '--max-diagnostics=none', ...files.map(({ at }) => at)]
  return new Promise((done) =>
    execFile(resolve('node_modules/.bin/biome'), args, { cwd: house, maxBuffer: 1 << 24 }, (_, stdout, stderr) =>
      done(stdout + stderr),
    ),
  )
}

/** What lint says of each case. Many files cost as much as one, so those that do not stand in each other's place go together. */
async function lintEach(cases: readonly Case[]): Promise<Map<string, string>> {
  const said = new Map<string, string>()
  let left = cases.map(([what, , at, code], index) => ({ what, at: at.replace('*', `x${index}`), code: `${code}\n` }))
  while (left.length > 0) {
    const batch = left.filter(({ at }, index) => left.findIndex((one) => one.at === at) === index)
    const parts = (await lint(...batch)).split(/^(?=\S+\.ts:\d)/m)
    for (const { what, at } of batch) said.set(what, parts.filter((part) => part.startsWith(`${at}:`)).join(''))
    left = left.filter((one) => !batch.includes(one))
  }
  return said
}

type Case = [what: string, says: string, at: string, code: string]

const importOf = (path: string) => `import { x } from '${path}'\nx()`
const another = 'A function never imports another function'
const pure = 'A step is pure'
const room = 'A room of shared/ is pure'
const client = 'name a client'
const oneWay = 'Imports run one way'
const env = 'Only shared/config.ts reads the environment'
const global = 'lint/style/noRestrictedGlobals'

const refused: Case[] = [
  ...functionNames.map(
    (name): Case => [
      `an import of ${name} into a function`,
      another,
      'functions/other/*.ts',
      importOf(`../${name}/${name}.ts`),
    ],
  ),
  ['the same in index.ts', another, 'functions/*/index.ts', importOf('../recover/undo.ts')],
  ['the same the long way round', another, 'functions/commit/*.ts', importOf('../../functions/recover/undo.ts')],
  ['the same from further down', another, 'functions/commit/sub/*.ts', importOf('../../recover/undo.ts')],
  ['the same when it is called for', another, 'functions/commit/*.ts', "await import('../recover/undo.ts')"],
  ['a client in a step', client, 'functions/commit/*.ts', importOf('../../shared/clients/git.ts')],
  ['a client further down', client, 'functions/commit/sub/*.ts', importOf('../../../shared/clients/git.ts')],
  ['the Kubernetes library in a step', client, 'functions/commit/*.ts', importOf('@kubernetes/client-node')],
  ['the stand-ins in a step', oneWay, 'functions/commit/*.ts', importOf('../../local/world.ts')],
  ['the stand-ins in index.ts', oneWay, 'functions/*/index.ts', importOf('../../local/world.ts')],
  ['the stand-ins where functions are started', oneWay, 'functions/main.ts', importOf('../local/world.ts')],
  ...[
    'node:fs/promises',
    'node:fs',
    'node:http2',
    'node:dns/promises',
    'node:child_process',
    'node:net',
    'node:tls',
  ].flatMap((name): Case[] => [
    [`${name} in a step`, pure, 'functions/commit/*.ts', importOf(name)],
    [`${name} further down`, pure, 'functions/commit/sub/*.ts', importOf(name)],
    [`${name} in a pure room`, room, 'shared/kubevirt/*.ts', importOf(name)],
    [`${name} beside the rooms`, room, 'shared/*.ts', importOf(name)],
  ]),
  ['a module of Node by its old name', 'useNodejsImportProtocol', 'functions/commit/*.ts', importOf('fs')],
  ['fetch in a step', global, 'functions/commit/*.ts', "fetch('https://example.com')"],
  ['fetch in index.ts', global, 'functions/*/index.ts', "fetch('https://example.com')"],
  ['fetch by another way', global, 'functions/commit/*.ts', "globalThis.fetch('https://example.com')"],
  ['fetch in a pure room', global, 'shared/kubevirt/*.ts', "fetch('https://example.com')"],
  ['a client in a pure room', client, 'shared/kubevirt/*.ts', importOf('../clients/git.ts')],
  ['the Kubernetes library in a pure room', client, 'shared/*.ts', importOf('@kubernetes/client-node')],
  ['a part of that library', client, 'shared/*.ts', importOf('@kubernetes/client-node/dist/config.js')],
  ['a function in shared', oneWay, 'shared/shell/*.ts', importOf('../../functions/recover/undo.ts')],
  ['a function in a client', oneWay, 'shared/clients/*.ts', importOf('../../functions/recover/undo.ts')],
  ['the stand-ins in a client', oneWay, 'shared/clients/*.ts', importOf('../../local/world.ts')],
  ['the scripts in the configuration', oneWay, 'shared/config.ts', importOf('../scripts/build.ts')],
  ['any', 'lint/suspicious/noExplicitAny', 'shared/*.ts', 'export const x: any = 1'],
  ['console', 'lint/suspicious/noConsole', 'functions/commit/*.ts', "console.log('x')"],
  ['a part of console', global, 'functions/commit/*.ts', 'export const { log } = console'],
  ['a part of console in the scripts', global, 'scripts/*.ts', 'export const { log } = console'],
  ...[
    'functions/commit/*.ts',
    'functions/*/index.ts',
    'functions/main.ts',
    'shared/*.ts',
    'shared/clients/*.ts',
    'shared/config.ts',
    'local/*.ts',
    'scripts/*.ts',
    'test/*.ts',
    'bench/*.ts',
  ].flatMap((at): Case[] => [
    [`the environment as a part of process in ${at}`, env, at, 'export const { env } = process'],
    [`the environment beside other parts of process in ${at}`, env, at, 'export const { env: mine, argv } = process'],
    [`the environment by import in ${at}`, env, at, "import { env } from 'node:process'\nexport const x = env"],
    [`process by import in ${at}`, env, at, "import process from 'node:process'\nexport const x = process"],
  ]),
  ['process.env in a pure room', 'lint/style/noProcessEnv', 'shared/*.ts', 'export const x = process.env'],
  ['process.env in the scripts', 'lint/style/noProcessEnv', 'scripts/*.ts', 'export const x = process.env'],
  ['process in a step', global, 'functions/commit/*.ts', 'export const x = process'],
  ['process in a pure room', global, 'shared/*.ts', 'export const x = process'],
]

const allowed: Case[] = [
  ['a client in index.ts', client, 'functions/*/index.ts', importOf('../../shared/clients/git.ts')],
  ['its own files further down', another, 'functions/commit/sub/*.ts', importOf('../judge.ts')],
  ['functions where they are loaded', another, 'functions/load.ts', "import('./validate/index.ts')"],
  ['reckoning by Node', pure, 'functions/commit/*.ts', `${importOf('node:util')}\n${importOf('node:crypto')}`],
  [
    'files and processes in a client',
    room,
    'shared/clients/git/*.ts',
    `${importOf('node:fs')}\nprocess.kill(process.pid)`,
  ],
  ['the network in a client', global, 'shared/clients/*.ts', "fetch('https://example.com')"],
  ['the Kubernetes library in a client', client, 'shared/clients/*.ts', importOf('@kubernetes/client-node')],
  ['files in the configuration', room, 'shared/config.ts', importOf('node:fs')],
  ['the log', client, 'shared/log.ts', importOf('pino')],
  ['the runtime', client, 'shared/runtime/*.ts', `${importOf('faas-js-runtime')}\n${importOf('node:http')}`],
  [
    'all of it where a cluster is played',
    oneWay,
    'local/*.ts',
    `${importOf('../functions/load.ts')}\n${importOf('node:fs')}`,
  ],
]

describe('lint', () => {
  let said: Map<string, string>
  beforeAll(async () => {
    said = await lintEach([...refused, ...allowed])
  })

  it.each(refused)('fails on %s', (what, says) => {
    expect(said.get(what)).toContain(says)
  })

  it.each(allowed)('lets pass %s', (what) => {
    expect(said.get(what)).not.toMatch(/noRestricted|plugin/)
  })

  it.each(['import', 'import type'])('fails on a ring of %s', async (how) => {
    const one = { at: 'shared/a.ts', code: `${how} { b } from './b.ts'\nexport const a = (): typeof b => b\n` }
    const other = { at: 'shared/b.ts', code: `${how} { a } from './a.ts'\nexport const b = (): typeof a => a\n` }
    expect(await lint(one, other)).toContain('lint/suspicious/noImportCycles')
  })
})
