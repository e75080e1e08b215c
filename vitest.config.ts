import { defineConfig } from 'vitest/config'
import { slow } from './test/slow.ts'

/** Tests of plain functions: they need no process of their own, and share what they import. */
const plain = [
  'test/functions/**/*.test.ts',
  'test/shared/{cloudinit,gitops,images,ipam,kubevirt,ocm,schema,shell}/*.test.ts',
]
// Rings of their own: test/slow.config.ts, and with real tools, a real registry, real controllers or the worst of Brokers, those of their folders.
const others = [
  '**/node_modules/**',
  'test/cluster/**',
  'test/guest/**',
  'test/registry/**',
  'test/model/long/**',
  'test/delivery/**',
  'test/crash/**',
  'test/competitors/**',
  ...slow,
]

export default defineConfig({
  test: {
    // Most of a test's time is waiting for git and for clusters; the files need not wait for each other.
    maxWorkers: 3,
    projects: [
      { test: { name: 'plain', include: plain, pool: 'threads', isolate: false, testTimeout: 30_000 } },
      {
        test: {
          name: 'whole',
          include: ['test/**/*.test.ts'],
          exclude: [...plain, ...others],
          testTimeout: 30_000,
          hookTimeout: 30_000,
          // Under CI=true what is drawn would have colours, whoever it is drawn for.
          env: { NO_COLOR: '1' },
        },
      },
    ],
  },
})
