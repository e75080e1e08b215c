import { defineConfig } from 'vitest/config'
import { slow } from './slow.ts'

/** The slower ring of tests that need no cluster: `npm run test:slow`. */
export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: { include: slow, maxWorkers: 3, maxConcurrency: 10, testTimeout: 60_000, hookTimeout: 60_000 },
})
