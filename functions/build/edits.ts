import type { MachineRound } from '../../shared/lifecycles.ts'
import type { Edit } from './edit.ts'
import { migration } from './edits/migration.ts'
import { patch } from './edits/patch.ts'
import { start, stop } from './edits/power.ts'
import { resize } from './edits/resize.ts'
import { image, swap } from './edits/root-disk.ts'
import { restore, save, snapshot } from './edits/snapshots.ts'

/** The edit of each round but those that make a machine and take it away. */
export const edits: Record<Exclude<MachineRound, 'create' | 'remove'>, Edit> = {
  stop,
  start,
  save,
  snapshot,
  restore,
  patch,
  image,
  swap,
  resize,
  migrate: migration,
}
