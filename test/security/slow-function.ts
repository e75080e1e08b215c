import { setTimeout as sleep } from 'node:timers/promises'
import { environment, readConfig } from '../../shared/config.ts'
import { toFunction } from '../../shared/runtime/function.ts'
import { startRuntime } from '../../shared/runtime/start.ts'
import { succeeded } from '../../shared/step.ts'

/** A function whose work takes a second, and that says when it has begun, as a process that a signal can end: `node test/security/slow-function.ts <characters of its answer>`. */
const config = readConfig(environment())
const step = async () => {
  process.send?.('begun')
  await sleep(1_000)
  return succeeded('.'.repeat(Number(process.argv[2])))
}
await startRuntime(
  toFunction('validate', () => ({ step, post: undefined }), config),
  config.port,
)
