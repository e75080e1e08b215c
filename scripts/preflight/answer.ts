/** What a cluster answered to a question: what was asked for, that there is no such thing, or why it does not say. */
export type Answer<T> = { state: 'found'; value: T } | { state: 'missing' } | { state: 'hidden'; why: string }

export const found = <T>(value: T): Answer<T> => ({ state: 'found', value })
export const missing: Answer<never> = { state: 'missing' }
export const hidden = (why: string): Answer<never> => ({ state: 'hidden', why })

/** What was found, changed; the other answers stay as they are. */
export function map<T, U>(answer: Answer<T>, change: (value: T) => U): Answer<U> {
  return answer.state === 'found' ? found(change(answer.value)) : answer
}

/** What was found, or undefined. */
export const known = <T>(answer: Answer<T>): T | undefined => (answer.state === 'found' ? answer.value : undefined)
