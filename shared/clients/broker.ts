import { DroverError } from '../errors.ts'
import { type Event, writeEvent } from '../event.ts'
import { outside } from '../telemetry/outside.ts'
import { carried } from '../telemetry/traces.ts'

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
  const post = async (event: Event) => {
    const { headers: written, body } = writeEvent(event)
    const who = token ? { authorization: `Bearer ${await token()}` } : {}
    // A Broker that traces its own work goes on with the trace of the request that brings the event.
    const headers = { ...written, ...carried(), ...who }
    const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(timeout) })
    await response.body?.cancel()
    if (!response.ok)
      throw new DroverError('broken', `Cannot post ${event.type} to the Broker: it answered ${response.status}`)
  }
  return (event) => outside({ to: 'broker', what: 'post' }, () => post(event))
}
