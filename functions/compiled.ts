import { readFileSync } from 'node:fs'
import Module, { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { constants, Script } from 'node:vm'

/**
 * The parts of a bundle with what V8 once made of them beside them, so that a start need not compile them again. Node has
 * a cache of its own for that (NODE_COMPILE_CACHE), but keeps one for each user: that of an image would be for nobody
 * where the cluster chooses the user.
 */

/** Where it lies: another V8 has no use for it, and does not read it in vain. */
export const compiledFile = (part: string): string => `${part}.${process.versions.v8}`

/** Says which part was read, and by what V8 runs it from then on. */
type Note = (part: string, script: Script) => void

let taken = 0

/** How many parts were taken as they had been compiled. */
export const compiledParts = (): number => taken

/** Lets Node read parts that way from now on; whoever has asked for it first gets to know of each. */
export function readCompiled(note: Note = () => undefined): void {
  const { extensions } = createRequire(import.meta.url)
  extensions['.cjs'] ??= (module, file) => {
    const cachedData = contentOf(compiledFile(file))
    const script = new Script(Module.wrap(readFileSync(file, 'utf8')), {
      filename: file,
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
      ...(cachedData && { cachedData }),
    })
    // V8 refuses what it made under other options, and compiles.
    if (script.cachedDataRejected === false) taken += 1
    note(file, script)
    const run = script.runInThisContext() as (...given: unknown[]) => void
    run.call(module.exports, module.exports, createRequire(file), module, file, dirname(file))
  }
}

function contentOf(file: string): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch {
    // Nobody has compiled it: a bundle of this machine.
    return undefined
  }
}
