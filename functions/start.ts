import { channel } from 'node:diagnostics_channel'
import { fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import Module, { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { constants, Script } from 'node:vm'
import { zstdDecompressSync } from 'node:zlib'
import { compiledFile, compiledMark, partsChannel } from './compiled.ts'

/**
 * What Node starts of a bundle: a file that holds its parts in a comment, each unpacked when it is needed for the first time.
 * What V8 once made of a part, in a file beside the bundle, is taken instead of compiling it again. (Node has a cache of its own for
 * that, NODE_COMPILE_CACHE, but keeps one for each user: that of an image would be for nobody where the cluster chooses the
 * user.)
 */

/**
 * Where each part begins, in bytes from the bundle's end, how long it is there, and how long unpacked: `scripts/build.ts`
 * writes this line. The first is the program.
 */
declare const parts: Record<string, [fromEnd: number, packed: number, length: number]>

const require = createRequire(__filename)
/** Kept open: a bundle that is built anew meanwhile is another file of that name. */
const bundle = openSync(__filename, 'r')
const { size } = fstatSync(bundle)
const loaded = new Map<string, Module>()

const requirePart = Object.assign((id: string): unknown => {
  const name = id.slice(2)
  return id.startsWith('./') && Object.hasOwn(parts, name) ? load(name).exports : require(id)
}, require)

function load(name: string): Module {
  const before = loaded.get(name)
  if (before) return before
  const file = join(dirname(__filename), name)
  const module = new Module(file)
  // Before it runs: parts may need one another.
  loaded.set(name, module)
  try {
    const run = compile(name, file).runInThisContext() as (...given: unknown[]) => void
    run.call(module.exports, module.exports, requirePart, module, file, dirname(file))
    return module
  } catch (error) {
    loaded.delete(name)
    throw error
  }
}

function compile(name: string, file: string): Script {
  const cachedData = contentOf(compiledFile(__filename, name))
  const script = new Script(textOf(name), {
    filename: file,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    ...(cachedData && { cachedData }),
  })
  // V8 refuses what it made under other options, and compiles.
  if (script.cachedDataRejected === false) performance.mark(compiledMark)
  channel(partsChannel).publish({ name, script })
  return script
}

function textOf(name: string): string {
  const [fromEnd, packedLength, length] = parts[name]!
  const packed = Buffer.allocUnsafeSlow(packedLength)
  const read = readSync(bundle, packed, 0, packedLength, size - fromEnd)
  if (read !== packedLength) throw new Error(`Cannot read ${name} of ${__filename}: the file ends before it`)
  // In one piece: what is put together of pieces takes the memory of both.
  return zstdDecompressSync(Buffer.from(packed.toString('latin1'), 'base64'), { chunkSize: length }).toString('latin1')
}

function contentOf(file: string): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch {
    // Nobody has compiled it: a bundle of this machine.
    return undefined
  }
}

/** Reads the parts that only an event would. */
export function loadAll(): void {
  for (const name of Object.keys(parts)) load(name)
}

load(Object.keys(parts)[0]!)
