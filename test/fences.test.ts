import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

/** The rooms stay clean because lint fails on what would mix them; here it is shown to fail. */

interface Lint {
  /** A file of the project in which the code would stand. */
  at: string
  code: string
}

function lint({ at, code }: Lint): Promise<string> {
  return new Promise((done) => {
    const child = execFile(
      'node_modules/.bin/biome',
      ['lint', '--colors=off', `--stdin-file-path=${at}`],
      (_, stdout, stderr) => done(stdout + stderr),
    )
    child.stdin?.end(code)
  })
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
      { at: 'shared/shell.ts', code: "import { undo } from '../functions/recover/undo.ts'\nundo()\n" },
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
    const room = await mkdtemp(join('shared', 'ring-'))
    await writeFile(join(room, 'a.ts'), "import { b } from './b.ts'\nexport const a = () => b\n")
    await writeFile(join(room, 'b.ts'), "import { a } from './a.ts'\nexport const b = () => a\n")
    const said = await new Promise((done) =>
      execFile('node_modules/.bin/biome', ['lint', '--colors=off', room], (_, stdout, stderr) => done(stdout + stderr)),
    )
    await rm(room, { recursive: true })
    expect(said).toContain('lint/suspicious/noImportCycles')
  })
})
