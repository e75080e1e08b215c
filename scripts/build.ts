import { build } from 'rolldown'

/** Where the bundle lies: one file, started by `npm start` with nothing else but Node and git. */
export const bundle = new URL('../dist/drover.cjs', import.meta.url).pathname

/** Where the program of a Job lies that pushes a disk. A file of its own: it needs little memory, and no function knows of it. */
export const pushBundle = new URL('../dist/push-disk.cjs', import.meta.url).pathname

/** Bundles the functions and everything they need into one file. */
export const buildBundle = (file = bundle): Promise<void> => toFile('../functions/main.ts', file)

/** The same for the program that pushes a disk. */
export const buildPushBundle = (file = pushBundle): Promise<void> => toFile('../functions/push-disk.ts', file)

async function toFile(from: string, file: string): Promise<void> {
  await build({
    input: new URL(from, import.meta.url).pathname,
    platform: 'node',
    logLevel: 'warn',
    output: {
      file,
      format: 'cjs',
      codeSplitting: false,
      // The runtime knows a CloudEvent by the name of its class.
      keepNames: true,
      minify: { compress: true, mangle: false, codegen: true },
    },
  })
}

if (import.meta.main) await Promise.all([buildBundle(), buildPushBundle()])
