import { defineConfig } from 'vitest/config'

/** The ring of those who push to the branch all the time. */
export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  test: { include: ['test/competitors/*.test.ts'], testTimeout: 240_000, hookTimeout: 60_000 },
})
