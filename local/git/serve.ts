import { messageOf } from '../../shared/errors.ts'
import { type GitHostConfig, startGitHost } from './host.ts'
import type { Started } from './process.ts'

/** The process of a Git host: told what to serve by who started it, with whom it ends. */
process.once('message', async (config: GitHostConfig) => {
  const tell = (started: Started) => process.send?.(started)
  try {
    const { url, plainUrl, path, close } = await startGitHost(config)
    process.once('disconnect', () => close().finally(() => process.exit(0)))
    tell({ addresses: { url, plainUrl, path } })
  } catch (error) {
    tell({ problem: messageOf(error) })
    process.disconnect()
  }
})
