import { build } from 'rolldown'

/** Where the bundle lies: one file, started by `npm start` with nothing else but Node and git. */
export const bundle = new URL('../dist/drover.cjs', import.meta.url).pathname

/** Bundles the functions and everything they need into one file. */
export async function buildBundle(file = bundle): Promise<void> {
  await build({
    input: new URL('../functions/main.ts', import.meta.url).pathname,
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

if (import.meta.main) await buildBundle()
