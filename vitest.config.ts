import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // On the real controllers: test/cluster/vitest.config.ts.
    exclude: ['test/cluster/**'],
    // Most of a test's time is waiting for git and for clusters; the files need not wait for each other.
    maxWorkers: 3,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
