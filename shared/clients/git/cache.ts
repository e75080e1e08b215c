export interface CacheLimits<T> {
  /** What the whole may weigh. */
  most: number
  weigh(value: T): number
  /** How long something is kept that nobody asks for. */
  keepMilliseconds?: number
  now?: () => number
}

const fiveMinutes = 5 * 60_000

interface Kept<T> {
  value: Promise<T>
  weight: number
  /** When it was asked for last. */
  at: number
}

/**
 * Keeps what was once loaded, and shares a load that is under way. What was not asked for longest goes when the whole weighs more
 * than it may, and whatever was not asked for in a while: of a fleet that changes, most of what was read is of the past.
 * What could not be loaded is not kept.
 */
export function boundedCache<T>({
  most,
  weigh,
  keepMilliseconds = fiveMinutes,
  now = () => performance.now(),
}: CacheLimits<T>): (key: string, load: () => Promise<T>) => Promise<T> {
  // In the order in which it was asked for.
  const kept = new Map<string, Kept<T>>()
  let total = 0
  const drop = (key: string) => {
    total -= kept.get(key)?.weight ?? 0
    kept.delete(key)
  }
  const tidy = () => {
    const longestAgo = now() - keepMilliseconds
    for (const [key, { at }] of kept) {
      if (total <= most && at >= longestAgo) return
      drop(key)
    }
  }
  return (key, load) => {
    const found = kept.get(key)
    if (found) {
      kept.delete(key)
      kept.set(key, { ...found, at: now() })
      return found.value
    }
    const value = load()
    kept.set(key, { value, weight: 0, at: now() })
    value.then(
      (loaded) => {
        const entry = kept.get(key)
        // It may have gone meanwhile, and be loaded once more.
        if (entry?.value !== value) return
        entry.weight = weigh(loaded)
        total += entry.weight
        tidy()
      },
      () => {
        if (kept.get(key)?.value === value) drop(key)
      },
    )
    return value
  }
}
