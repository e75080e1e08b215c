import { DroverError } from './errors.ts'

/**
 * How large a file of the fleet may be, in bytes: some functions read every one of a kind, and a file that is too large for one
 * of them is too large for all. The largest that anybody needs holds the contents that are put into a disk, 1 MiB at most
 * as a ConfigMap does, in quotes.
 */
export const mostBytes = 2 * 1024 * 1024

/** Says that a file is too large to be read. */
export const tooLarge = (what: string, bytes: number) =>
  new DroverError('refused', `Cannot read ${what}: it is ${bytes} bytes long, wanted at most ${mostBytes}`)
