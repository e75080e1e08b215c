import type { CommitTrailers } from '../../fleet.ts'
import { oneLine } from '../../one-line.ts'

/** A line of a commit message: nobody can put a trailer of their own into one. */
export const messageLine = (text: string): string => oneLine(text, 500)

/** A commit message whose last paragraph says which run made the commit and for whom. */
export function toMessage(subject: string, trailers: CommitTrailers): string {
  const lines = Object.entries(toTrailerLines(trailers)).map(([key, value]) => `${key}: ${value}`)
  return `${messageLine(subject) || 'Change the fleet'}\n\n${lines.join('\n')}\n`
}

/** The trailers under the names they have in Git. */
export function toTrailerLines(trailers: CommitTrailers): Record<string, string> {
  return {
    'Drover-Run': messageLine(trailers.run),
    'Drover-Step': messageLine(trailers.step),
    'Drover-Lifecycle': messageLine(trailers.lifecycle),
    'Drover-Requester': messageLine(trailers.requester),
  }
}
