import { defineConfig } from 'vitest/config'
import { Order } from './order.ts'

/** The ring on the real controllers: the tests of the chain and of the clients, and those that only they can answer. */
export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  test: {
    include: ['test/chain/**/*.test.ts', 'test/shared/clients/api/*.test.ts', 'test/cluster/**/*.test.ts'],
    globalSetup: 'test/cluster/setup.ts',
    // One Drover at a time: there is one Broker.
    fileParallelism: false,
    sequence: { sequencer: Order },
    // A small machine with all these controllers on it now and then has no time for one of them.
    retry: 1,
    testTimeout: 120_000,
    hookTimeout: 900_000,
  },
})
