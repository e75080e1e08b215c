import { defineConfig } from 'vitest/config'

/** The ring of attacks: `npm run test:security`. What of it takes less than a second is in the fast ring as well. */
export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  test: { include: ['test/security/**/*.test.ts'], maxWorkers: 2, testTimeout: 60_000, hookTimeout: 60_000 },
})
