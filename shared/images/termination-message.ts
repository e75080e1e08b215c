/** What a pod says at its end, in a termination message; undefined where that is no JSON, as after a kill. */
export function parsed(message: string): unknown {
  try {
    return JSON.parse(message)
  } catch {
    return undefined
  }
}
