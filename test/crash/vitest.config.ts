import { defineConfig } from 'vitest/config'

const hours = 60 * 60_000

/** The ring of crashes: runs until each point was met at which a function can be killed, four worlds side by side. */
export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  test: { include: ['test/crash/*.test.ts'], maxConcurrency: 4, testTimeout: 6 * hours, hookTimeout: 120_000 },
})
