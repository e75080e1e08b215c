import { basename, dirname, join } from 'node:path'
import type { Script } from 'node:vm'

/** What a bundle's start, the functions and `scripts/compile.ts` know of each other. */

/** Where that lies which V8 has made of a part: another V8 has no use for it, and does not read it in vain. */
export const compiledFile = (bundle: string, part: string): string =>
  join(dirname(bundle), 'compiled', basename(bundle), `${part}.${process.versions.v8}`)

/** The mark in Node's timeline of each part that was taken as it had been compiled. */
export const compiledMark = 'compiled part'

/** Where each part is told of that was read. */
export const partsChannel = 'drover.parts'

export interface Part {
  name: string
  script: Script
}
