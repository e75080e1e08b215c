import type { Functions, Ports } from '../../local/functions.ts'
import { startProcesses } from '../../local/functions.ts'
import { environment } from '../../shared/config.ts'
import { bundled } from './start.ts'

/** Starts functions that do nothing in the place of Drover's own, each a process as they are. */
export const startNoOps =
  (directory: string) =>
  async (ports: Ports): Promise<Functions> => {
    const { PATH = '' } = environment()
    return startProcesses(await bundled('chain-no-op', directory), ports, directory, () => ({ PATH }))
  }
