import { readFile } from 'node:fs/promises'
import { messageOf } from '../shared/errors.ts'
import { type Event, readEvent } from '../shared/event.ts'

/** A CloudEvent in a file, in structured form: as it is read, and as it stands there. */
export async function readEventFile(file: string): Promise<{ event: Event; text: string }> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Error(`Cannot read the event: ${messageOf(cause)}`, { cause })
  })
  return { event: readEvent({ 'content-type': 'application/cloudevents+json' }, text), text }
}
