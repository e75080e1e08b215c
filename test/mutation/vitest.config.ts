import { defineConfig } from 'vitest/config'

/** The tests that ask no process and no network: a mutant is tried against those of them that come to it. */
export default defineConfig({
  test: {
    include: [
      'test/functions/**/*.test.ts',
      'test/shared/*.test.ts',
      'test/shared/{cloudinit,gitops,images,ipam,kubevirt,ocm,schema,shell}/*.test.ts',
    ],
    // It changes who it is, which no thread may.
    exclude: ['test/shared/config.test.ts'],
    env: { NO_COLOR: '1' },
    // What is mutated keeps nothing in its modules: the files of a run may share them, and each mutant takes a tenth of the time.
    isolate: false,
  },
})
