/** Whether a version is at least another; undefined where it is none. A vendor's suffix does not count. */
export function isAtLeast(version: string, least: string): boolean | undefined {
  const numbers = /^v?(\d+)\.(\d+)(?:\.(\d+))?/.exec(version)
  if (!numbers) return undefined
  const [have, want] = [numbers.slice(1), least.split('.')].map((parts) =>
    [0, 1, 2].map((at) => Number(parts[at] ?? 0)),
  )
  for (const at of [0, 1, 2]) {
    const difference = (have?.[at] ?? 0) - (want?.[at] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}
