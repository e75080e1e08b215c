import { defineConfig } from 'vitest/config'

/** The ring of a Broker that does its worst: it wants a machine with nothing else to do, for late runs are given up. */
export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  test: { include: ['test/delivery/*.test.ts'], maxWorkers: 1, testTimeout: 90_000, hookTimeout: 60_000 },
})
