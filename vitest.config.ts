import { defineConfig } from 'vitest/config'
import { slow } from './test/slow.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Rings of their own: test/slow.config.ts, and on the real controllers test/cluster/vitest.config.ts.
    exclude: ['test/cluster/**', ...slow],
    // Most of a test's time is waiting for git and for clusters; the files need not wait for each other.
    maxWorkers: 3,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
