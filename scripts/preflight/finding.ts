import type { Answer } from './answer.ts'

/** What one check says of a cluster. */
export interface Finding {
  /** `lacks`: Drover does not work without it. `advice`: it works, but not as well or as safely as it could. */
  state: 'ok' | 'lacks' | 'advice' | 'cannot tell'
  /** A sentence: what is. */
  says: string
  /** What to do, as a command where there is one. */
  todo?: string
}

export const ok = (says: string): Finding => ({ state: 'ok', says })
export const lacks = (says: string, todo: string): Finding => ({ state: 'lacks', says, todo })
export const advice = (says: string, todo: string): Finding => ({ state: 'advice', says, todo })
export const cannotTell = (says: string, todo: string): Finding => ({ state: 'cannot tell', says, todo })

/** Judges what was found. Without it the first finding holds; where the cluster does not say, it cannot be told. */
export function judge<T>(
  answer: Answer<T>,
  what: string,
  without: Finding,
  judgement: (value: T) => Finding | Finding[],
): Finding[] {
  if (answer.state === 'found') return [judgement(answer.value)].flat()
  if (answer.state === 'missing') return [without]
  return [cannotTell(`${what} cannot be read: ${answer.why}`, 'run this as somebody who may read it')]
}
