import { parseEventType } from '../shared/event-types.ts'
import type { LifecycleName, Subject } from '../shared/lifecycles.ts'
import { ask, isComplete } from './ask.ts'
import type { Seen } from './feed.ts'
import { type RequestFile, readRequest } from './request.ts'
import type { World } from './world.ts'

/**
 * A golden image, and the life of a machine, as `npm run local` shows them: the request of examples/ for each, in this order.
 * The restore comes before the repave, for a snapshot holds the root disk that there was.
 */
const life: readonly LifecycleName[] = ['golden-image', 'provision', 'snapshot', 'patch', 'restore', 'resize', 'repave']

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

/** Makes one request after the other, up to one that does not complete; each is for the machine that there is by then. */
export async function live(world: Pick<World, 'broker' | 'feed'>, requests: readonly RequestFile[]): Promise<Lived[]> {
  const lived: Lived[] = []
  for (const one of requests) {
    const made = machineIn(lived)
    const request = made ? forMachine(one, made) : one
    const begun = performance.now()
    const ended = await ask(world, request)
    lived.push({ request, ended, milliseconds: performance.now() - begun })
    if (!isComplete(ended)) break
  }
  return lived
}

/** What a request is about. */
export const aboutOf = ({ type }: Pick<RequestFile, 'type'>): Subject | undefined =>
  parseEventType(type)?.lifecycle.about

/** How the first run ended that was about a machine. */
export const machineIn = (lived: readonly Lived[]): Seen | undefined =>
  lived.find(({ request }) => aboutOf(request) !== 'image')?.ended

/** The examples name the first machine of a new fleet; a fleet that goes on gives its next one another name. */
export function forMachine(request: RequestFile, { data }: Seen): RequestFile {
  return { ...request, data: { ...(request.data as object), name: data.vmName } }
}
