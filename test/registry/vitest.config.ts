import { defineConfig } from 'vitest/config'

/** The ring on a real registry, which is built from its Go module: `npm run test:registry`. */
export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  test: {
    include: ['test/registry/*.test.ts'],
    globalSetup: 'test/registry/setup.ts',
    // Each pushes a disk with all the speed that there is.
    fileParallelism: false,
    testTimeout: 120_000,
    // One makes an image as the Containerfile says, beside the ring on real controllers.
    hookTimeout: 300_000,
  },
})
