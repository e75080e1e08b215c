import { defineConfig } from 'vitest/config'

/** The ring with the real tools of guests: disks customized by virt-customize, user-data read by cloud-init. */
export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  test: {
    include: ['test/guest/**/*.test.ts'],
    globalSetup: 'test/guest/setup.ts',
    // An appliance that is emulated takes a processor to itself.
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
})
