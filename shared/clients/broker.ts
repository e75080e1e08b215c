import { DroverError } from '../errors.ts'
import { type Event, writeEvent } from '../event.ts'

const timeout = 5_000

/**
 * Posts events to a Broker's ingress; undefined when there is no Broker. The token says who posts, where the Broker asks.
 * An event that was not accepted throws.
 */
export function brokerPoster(
  url: string | undefined,
  token?: () => Promise<string>,
): ((event: Event) => Promise<void>) | undefined {
  if (url === undefined) return undefined
  return async (event) => {
    const { headers: written, body } = writeEvent(event)
    const headers = token ? { ...written, authorization: `Bearer ${await token()}` } : written
    const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(timeout) })
    await response.body?.cancel()
    if (!response.ok)
      throw new DroverError('broken', `Cannot post ${event.type} to the Broker: it answered ${response.status}`)
  }
}
