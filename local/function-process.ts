import { createRequire } from 'node:module'

/** Runs the bundle as its container would, and ends with who started it. */
process.stdin
  .on('end', () => process.exit(1))
  .on('error', () => process.exit(1))
  .resume()
createRequire(import.meta.url)(process.argv[2] ?? '')
