import type { CommitTrailers } from '../../fleet.ts'

const LONGEST_LINE = 500

/** The text as one line, so that nobody can put a trailer of their own into a commit message. */
export function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_LINE)
    .toWellFormed()
}

/** A commit message whose last paragraph says which run made the commit and for whom. */
export function toMessage(subject: string, trailers: CommitTrailers): string {
  const lines = Object.entries(toTrailerLines(trailers)).map(([key, value]) => `${key}: ${value}`)
  return `${oneLine(subject) || 'Change the fleet'}\n\n${lines.join('\n')}\n`
}

/** The trailers under the names they have in Git. */
export function toTrailerLines(trailers: CommitTrailers): Record<string, string> {
  return {
    'Drover-Run': oneLine(trailers.run),
    'Drover-Step': oneLine(trailers.step),
    'Drover-Lifecycle': oneLine(trailers.lifecycle),
    'Drover-Requester': oneLine(trailers.requester),
  }
}
