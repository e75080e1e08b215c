import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** The rooms stay clean because lint fails on what would mix them; here it is shown to fail, in an empty house with our rules. */

let house: string
beforeAll(async () => {
  house = await mkdtemp(join(tmpdir(), 'drover-fences-'))
  const rules = JSON.parse(await readFile('biome.json', 'utf8'))
  await writeFile(join(house, 'biome.json'), JSON.stringify({ ...rules, $schema: undefined, vcs: { enabled: false } }))
})
afterAll(() => rm(house, { recursive: true }))

interface Lint {
  /** The file in which the code would stand. */
  at: string
  code: string
}

async function lint(...files: Lint[]): Promise<string> {
  for (const { at, code } of files) {
    await mkdir(dirname(join(house, at)), { recursive: true })
    await writeFile(join(house, at), code)
  }
  const args = ['lint', '--colors=off', ...files.map(({ at }) => at)]
  return new Promise((done) =>
    execFile(resolve('node_modules/.bin/biome'), args, { cwd: house }, (_, stdout, stderr) => done(stdout + stderr)),
  )
}

describe('lint', () => {
  it.each<[string, string, Lint]>([
    [
      'an import from one function into another',
      'A function never imports another function',
      { at: 'functions/commit/commit.ts', code: "import { undo } from '../recover/undo.ts'\nundo()\n" },
    ],
    [
      'the same in index.ts',
      'A function never imports another function',
      { at: 'functions/commit/index.ts', code: "import { undo } from '../recover/undo.ts'\nundo()\n" },
    ],
    [
      'a client in a step',
      'A step is pure',
      {
        at: 'functions/commit/commit.ts',
        code: "import { openFleet } from '../../shared/clients/git.ts'\nopenFleet()\n",
      },
    ],
    [
      'a file read in a step',
      'A step is pure',
      { at: 'functions/build/create.ts', code: "import { readFile } from 'node:fs/promises'\nreadFile('x')\n" },
    ],
    [
      'a client in a pure room',
      'name a client',
      { at: 'shared/kubevirt/render.ts', code: "import { openFleet } from '../clients/git.ts'\nopenFleet()\n" },
    ],
    [
      'the Kubernetes library in a pure room',
      'name a client',
      { at: 'shared/ledger.ts', code: "import { KubeConfig } from '@kubernetes/client-node'\nnew KubeConfig()\n" },
    ],
    [
      'a function in shared',
      'Imports run one way',
      { at: 'shared/shell/shell.ts', code: "import { undo } from '../../functions/recover/undo.ts'\nundo()\n" },
    ],
    ['any', 'lint/suspicious/noExplicitAny', { at: 'shared/run.ts', code: 'export const x: any = 1\n' }],
    ['console', 'lint/suspicious/noConsole', { at: 'functions/commit/commit.ts', code: "console.log('x')\n" }],
    [
      'process.env outside the one configuration file',
      'lint/style/noProcessEnv',
      { at: 'shared/run.ts', code: 'export const x = process.env\n' },
    ],
  ])('fails on %s', async (_, says, code) => {
    expect(await lint(code)).toContain(says)
  })

  it('lets index.ts wire clients', async () => {
    const code = "import { openFleet } from '../../shared/clients/git.ts'\nopenFleet()\n"
    expect(await lint({ at: 'functions/commit/index.ts', code })).not.toContain('noRestrictedImports')
  })

  it('fails on a ring of imports', async () => {
    const a = { at: 'shared/a.ts', code: "import { b } from './b.ts'\nexport const a = () => b\n" }
    const b = { at: 'shared/b.ts', code: "import { a } from './a.ts'\nexport const b = () => a\n" }
    expect(await lint(a, b)).toContain('lint/suspicious/noImportCycles')
  })
})
