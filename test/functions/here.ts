import type { Here } from '../../shared/step.ts'

/** Where a step runs in a test: at a fixed time, with what it tells. `endPatience` ends this delivery. */
export function hereOf(changes: Partial<Here> = {}) {
  const told: string[] = []
  const patience = new AbortController()
  const here: Here = {
    now: () => new Date('2030-01-01T10:30:00Z'),
    progress: async (message) => {
      if (told.at(-1) !== message) told.push(message)
    },
    patience: patience.signal,
    ...changes,
  }
  return { here, told, endPatience: () => patience.abort() }
}
