import { defineConfig } from 'vitest/config'

/** The tests that ask no process and no network: a mutant is tried against those of them that come to it. */
export default defineConfig({
  test: {
    include: [
      'test/functions/**/*.test.ts',
      'test/shared/*.test.ts',
      'test/shared/{cloudinit,gitops,images,ipam,kubevirt,ocm,schema,shell}/*.test.ts',
    ],
    // One changes who it is, which no thread may; the other keeps words as secrets, which would be blotted out in what the others read.
    exclude: ['test/shared/config.test.ts', 'test/shared/secrets.test.ts'],
    env: { NO_COLOR: '1' },
    // The files share their modules: each mutant takes a tenth of the time.
    isolate: false,
  },
})
