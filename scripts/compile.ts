import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import type { Script } from 'node:vm'
import { compiledFile, readCompiled } from '../functions/compiled.ts'
import { freePorts } from '../local/free-port.ts'
import { awaitReady } from '../local/functions.ts'
import { environment, newSigningKey } from '../shared/config.ts'
import { bundle, partsOf } from './build.ts'

/** Puts beside each part of a bundle what V8 makes of it, by starting it once: of the Node that runs this, for the same Node. */
export async function compileBundle(file = bundle): Promise<void> {
  const { PATH = '' } = environment()
  const env = {
    PATH,
    PORT: String((await freePorts(1))[0]),
    DROVER_LOG_LEVEL: 'silent',
    // It is never asked for anything.
    DROVER_GIT_URL: 'https://git.invalid/fleet.git',
    DROVER_SIGNING_KEYS: newSigningKey(),
  }
  await promisify(execFile)(process.execPath, [import.meta.filename, file], { env })
}

/** Within that process: starts it, reads the parts that only an event would, and keeps what was compiled on the way. */
async function keepCompiled(file: string): Promise<void> {
  const scripts = new Map<string, Script>()
  readCompiled((part, script) => scripts.set(part, script))
  const require = createRequire(import.meta.url)
  require(file)
  await awaitReady(Number(environment()['PORT']), 'bundle')
  for (const part of partsOf(file)) require(part)
  for (const [part, script] of scripts) if (part !== file) writeFileSync(compiledFile(part), script.createCachedData())
  process.exit()
}

if (import.meta.main) await (process.argv[2] ? keepCompiled(process.argv[2]) : compileBundle())
