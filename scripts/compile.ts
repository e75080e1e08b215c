import { execFile } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { compiledFile, type Part, partsChannel } from '../functions/compiled.ts'
import { freePorts } from '../local/free-port.ts'
import { awaitReady } from '../local/functions.ts'
import { environment, newSigningKey } from '../shared/config.ts'
import { bundle } from './build.ts'

/** Puts beside a bundle what V8 makes of each of its parts, by starting it once: of the Node that runs this, for the same Node. */
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
  const read: Part[] = []
  subscribe(partsChannel, (part) => read.push(part as Part))
  const { loadAll } = createRequire(import.meta.url)(file) as { loadAll(): void }
  await awaitReady(Number(environment()['PORT']), 'bundle')
  loadAll()
  mkdirSync(dirname(compiledFile(file, '')), { recursive: true })
  for (const { name, script } of read) writeFileSync(compiledFile(file, name), script.createCachedData())
  process.exit()
}

if (import.meta.main) await (process.argv[2] ? keepCompiled(process.argv[2]) : compileBundle())
