import { readEventFile } from '../scripts/event-file.ts'
import { eventTypes } from '../shared/event-types.ts'

/** A request as it stands in its file. */
export interface RequestFile {
  source: string
  type: string
  data: unknown
}

/** The request in a file; refused when no lifecycle begins with it, for its run would never end. */
export async function readRequest(file: string): Promise<RequestFile> {
  const { event, text } = await readEventFile(file)
  const wanted = eventTypes().flatMap(({ type, status }) => (status === 'request' ? [type] : []))
  if (!wanted.includes(event.type))
    throw new Error(`Cannot post ${file}: its type is "${event.type}", wanted ${wanted.join(' or ')}`)
  return JSON.parse(text) as RequestFile
}
