import type { CommitTrailers } from '../../fleet.ts'
import { oneLine } from '../../one-line.ts'

/** A line of a commit message: nobody can put a trailer of their own into one. */
export const messageLine = (text: string): string => oneLine(text, 500)

/** A commit message whose last paragraph says which run made the commit and for whom. */
export function toMessage(subject: string, { run, step, lifecycle, requester }: CommitTrailers): string {
  const named = {
    'Drover-Run': run,
    'Drover-Step': step,
    'Drover-Lifecycle': lifecycle,
    'Drover-Requester': requester,
  }
  const lines = Object.entries(named).map(([key, value]) => `${key}: ${messageLine(value)}`)
  return `${messageLine(subject) || 'Change the fleet'}\n\n${lines.join('\n')}\n`
}
