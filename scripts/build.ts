import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import Module from 'node:module'
import { dirname } from 'node:path'
import { constants, zstdCompressSync } from 'node:zlib'
import { build, type OutputChunk, type Plugin } from 'rolldown'
import { compiledFile } from '../functions/compiled.ts'
import { withValidators } from './validators.ts'

/** Where the bundle lies, started by `npm start` with nothing else but Node and git. */
export const bundle = new URL('../dist/drover.cjs', import.meta.url).pathname

/** Where the program of a Job lies that pushes a disk. A file of its own: it needs little memory, and no function knows of it. */
export const pushBundle = new URL('../dist/push-disk.cjs', import.meta.url).pathname

/**
 * Bundles the functions and everything they need into one file, which holds them in parts: a function reads those that it needs,
 * when it needs them (`functions/start.ts`).
 */
export const buildBundle = (file = bundle): Promise<void> => toFile(pathOf('../functions/main.ts'), file)

/** The same for the program that pushes a disk. */
export const buildPushBundle = (file = pushBundle): Promise<void> => toFile(pathOf('../functions/push-disk.ts'), file)

const pathOf = (file: string) => new URL(file, import.meta.url).pathname

/** Bundles a program into one file: in parts where it imports something later. */
export async function toFile(from: string, file: string): Promise<void> {
  const [first, ...others] = await codeOf(from)
  if (!first) throw new Error(`Cannot bundle ${from}: nothing came of it`)
  const [start] = others.length === 0 ? [] : await codeOf(pathOf('../functions/start.ts'))
  await mkdir(dirname(file), { recursive: true })
  // Another file under its name: what runs from the one before still reads parts of that.
  await writeFile(`${file}.new`, start ? joined(start.code, [first, ...others]) : first.code)
  await rm(dirname(compiledFile(file, '')), { recursive: true, force: true })
  await rename(`${file}.new`, file)
}

/** A program's parts, its own first. */
async function codeOf(from: string): Promise<OutputChunk[]> {
  const { output } = await build({
    input: from,
    write: false,
    platform: 'node',
    plugins: [withValidators(), narrow],
    logLevel: 'warn',
    // What a part holds already is still run only when it is imported.
    checks: { ineffectiveDynamicImport: false },
    output: {
      entryFileNames: '[name]-[hash].cjs',
      chunkFileNames: '[name]-[hash].cjs',
      format: 'cjs',
      // The runtime knows a CloudEvent by the name of its class.
      keepNames: true,
      minify: { compress: true, mangle: false, codegen: true },
    },
  })
  return output.filter((part) => part.type === 'chunk')
}

/**
 * One file of a start and the parts that it takes of it. To Node they are a comment, which it keeps for as long as the program
 * runs: so they are packed.
 */
function joined(start: string, parts: OutputChunk[]): string {
  const end = '*/\n'
  const texts = parts.map(({ fileName, code }) => {
    const text = Module.wrap(code)
    return { fileName, length: text.length, packed: packed(text) }
  })
  let fromEnd = end.length
  const places = texts.toReversed().map(({ fileName, length, packed }) => {
    fromEnd += packed.length
    return [fileName, [fromEnd, packed.length, length]] as const
  })
  const index = JSON.stringify(Object.fromEntries(places.toReversed()))
  return `const parts=${index};${start}\n/*${texts.map(({ packed }) => packed).join('')}${end}`
}

const packed = (text: string): string =>
  zstdCompressSync(text, { params: { [constants.ZSTD_c_compressionLevel]: 19 } }).toString('base64')

/**
 * A single character beyond Latin-1 makes V8 keep two bytes for each of a whole part, for as long as it runs. In ASCII a part
 * has as many bytes as characters, which is what its start counts on.
 */
const narrow: Plugin = {
  name: 'narrow',
  generateBundle(_, parts) {
    for (const part of Object.values(parts))
      if (part.type === 'chunk') part.code = part.code.replace(/[^\0-\x7f]/g, escaped)
  },
}

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

if (import.meta.main) await Promise.all([buildBundle(), buildPushBundle()])
