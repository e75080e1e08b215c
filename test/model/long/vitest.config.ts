import { defineConfig } from 'vitest/config'

/** The ring that explores every state: minutes of computing, and nothing else. */
export default defineConfig({
  root: new URL('../../..', import.meta.url).pathname,
  test: { include: ['test/model/long/*.test.ts'] },
})
