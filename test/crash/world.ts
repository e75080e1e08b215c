import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { choosePorts, type Functions, type Ports, startProcesses } from '../../local/functions.ts'
import type { WorldOptions } from '../../local/world.ts'
import { type FunctionName, functionNames } from '../../shared/lifecycles.ts'
import { type Chain, startWith } from '../chain/harness.ts'
import { openDoor } from './doors.ts'
import { type Outside, startOutside } from './outside.ts'

/** All of Drover, each function in a process that can be told to end at a point of its work. */
export interface World {
  chain: Chain
  outside: Outside
  /** The file that its functions are given orders by. */
  orders: string
  /** Ends a function at once, and says whether there was one; the next one begins with nothing. */
  kill(name: FunctionName): boolean
  /** How many functions have ended so far. */
  ends(): number
  /** What a function has logged last. */
  logOf(name: FunctionName): string
  close(): Promise<void>
}

/** Starts it from a bundle. */
export async function startCrashable(bundle: string): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'drover-crash-'))
  const [mounted, logs, orders] = [join(folder, 'mounted'), join(folder, 'logs'), join(folder, 'orders.json')]
  mkdirSync(mounted)
  const outside = await startOutside(folder, mounted)
  const preload = new URL('preload.ts', import.meta.url)
  preload.searchParams.set('orders', orders)
  preload.searchParams.set('mounted', mounted)
  let running: Functions | undefined
  const start: WorldOptions['start'] = async (ports, environmentOf) => {
    const chosen = Promise.withResolvers<Ports>()
    const innerOf = (name: FunctionName) => async () => (await chosen.promise)[name]
    const doors = await Promise.all(functionNames.map((name) => openDoor(ports[name], innerOf(name))))
    const inner = await choosePorts()
    chosen.resolve(inner)
    const functions = await startProcesses(bundle, inner, logs, environmentOf)
    running = functions
    const close = async () => {
      await functions.close()
      await Promise.all(doors.map((door) => door.close()))
    }
    return { ...functions, close }
  }
  const settings = {
    ...outside.settings,
    NODE_OPTIONS: `--import=${preload.href}`,
    DROVER_LOG_LEVEL: 'info',
    // What passes must be let pass, however busy the machine is.
    DROVER_GRACE_SECONDS: '4',
    DROVER_PATIENCE_SECONDS: '20',
  }
  const chain = await startWith({ start }, settings)
  outside.follow(chain.feed)
  return {
    ...{ chain, outside, orders },
    kill: (name) => running?.kill(name) ?? false,
    ends: () => running?.ends() ?? 0,
    logOf: (name) =>
      readFileSync(join(logs, `${name}.log`), 'utf8')
        .split('\n')
        .slice(-15)
        .join('\n'),
    async close() {
      await chain.close()
      await outside.close()
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}
