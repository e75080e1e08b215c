import type { LifecycleName } from '../shared/lifecycles.ts'
import { ask, isComplete } from './ask.ts'
import type { Seen } from './feed.ts'
import { type RequestFile, readRequest } from './request.ts'
import type { World } from './world.ts'

/**
 * The life of a machine as `npm run local` shows it: the request of examples/ for each, in this order. A golden image would
 * come first. The restore comes before the repave, for a snapshot holds the root disk that there was.
 */
const life: readonly LifecycleName[] = ['provision', 'snapshot', 'patch', 'restore', 'resize', 'repave']

/** The requests of a life, and the one that ends it. */
export async function readLife(): Promise<{ life: RequestFile[]; end: RequestFile }> {
  const example = (name: LifecycleName) => readRequest(new URL(`../examples/${name}.json`, import.meta.url).pathname)
  return { life: await Promise.all(life.map(example)), end: await example('deprovision') }
}

/** A request that was made, and how its run ended. */
export interface Lived {
  request: RequestFile
  ended: Seen
  milliseconds: number
}

/** Makes one request after the other, up to one that does not complete; those after the first are for its machine. */
export async function live(world: Pick<World, 'broker' | 'feed'>, requests: readonly RequestFile[]): Promise<Lived[]> {
  const lived: Lived[] = []
  for (const one of requests) {
    const request = lived[0] ? forMachine(one, lived[0].ended) : one
    const begun = performance.now()
    const ended = await ask(world, request)
    lived.push({ request, ended, milliseconds: performance.now() - begun })
    if (!isComplete(ended)) break
  }
  return lived
}

/** The examples name the first machine of a new fleet; a fleet that goes on gives its next one another name. */
export function forMachine(request: RequestFile, { data }: Seen): RequestFile {
  return { ...request, data: { ...(request.data as object), name: data.vmName } }
}
