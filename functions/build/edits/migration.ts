import type { Edit } from '../edit.ts'

/** Asks for a live migration; a machine that is off has no guest to move. */
export const migration: Edit = (definition, run) =>
  definition.running
    ? { ...definition, migration: { name: `${definition.name}-move-${run.id.slice(0, 8)}` } }
    : { problems: [`${definition.name} is off, wanted a machine that runs`] }
