import { readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { build, type Plugin } from 'rolldown'
import { withValidators } from './validators.ts'

/** Where the bundle lies, started by `npm start` with nothing else but Node and git. */
export const bundle = new URL('../dist/drover.cjs', import.meta.url).pathname

/** Where the program of a Job lies that pushes a disk. A file of its own: it needs little memory, and no function knows of it. */
export const pushBundle = new URL('../dist/push-disk.cjs', import.meta.url).pathname

/** Bundles the functions and everything they need, in parts: a function reads those that it needs, when it needs them. */
export const buildBundle = (file = bundle): Promise<void> => toFile(pathOf('../functions/start.ts'), file)

/** The same for the program that pushes a disk. */
export const buildPushBundle = (file = pushBundle): Promise<void> => toFile(pathOf('../functions/push-disk.ts'), file)

/** The parts that lie beside a bundle. */
export const partsOf = (file: string): string[] => {
  const folder = folderOf(file)
  const names = readdirSync(folder).filter((name) => name.endsWith('.cjs'))
  return names.map((name) => join(folder, name))
}

const folderOf = (file: string) => join(dirname(file), basename(file, '.cjs'))

const pathOf = (file: string) => new URL(file, import.meta.url).pathname

/** Bundles a program into a file, and what it imports later into a folder beside it of the same name. */
export async function toFile(from: string, file: string): Promise<void> {
  const name = basename(file, '.cjs')
  // The names of parts follow from what is in them: those of a build before are nobody's any more.
  await rm(folderOf(file), { recursive: true, force: true })
  await build({
    input: { [name]: from },
    platform: 'node',
    plugins: [withValidators(), narrow],
    logLevel: 'warn',
    output: {
      dir: dirname(file),
      entryFileNames: '[name].cjs',
      chunkFileNames: `${name}/[name]-[hash].cjs`,
      format: 'cjs',
      // The runtime knows a CloudEvent by the name of its class.
      keepNames: true,
      minify: { compress: true, mangle: false, codegen: true },
    },
  })
}

/** A single character beyond Latin-1 makes V8 keep two bytes for each of a whole part, for as long as it runs. */
const narrow: Plugin = {
  name: 'narrow',
  generateBundle(_, parts) {
    for (const part of Object.values(parts))
      if (part.type === 'chunk') part.code = part.code.replace(/[^\0-\xff]/g, escaped)
  },
}

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

if (import.meta.main) await Promise.all([buildBundle(), buildPushBundle()])
