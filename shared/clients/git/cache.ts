/**
 * Keeps what was once loaded, and shares a load that is under way. What was not asked for longest goes when the whole
 * weighs more than it may; what could not be loaded is not kept.
 */
export function boundedCache<T>(
  most: number,
  weigh: (value: T) => number,
): (key: string, load: () => Promise<T>) => Promise<T> {
  const kept = new Map<string, { value: Promise<T>; weight: number }>()
  let total = 0
  const drop = (key: string) => {
    total -= kept.get(key)?.weight ?? 0
    kept.delete(key)
  }
  const settle = (key: string, weight: number) => {
    const entry = kept.get(key)
    if (!entry) return
    entry.weight = weight
    total += weight
    for (const oldest of kept.keys()) {
      if (total <= most) return
      drop(oldest)
    }
  }
  return (key, load) => {
    const found = kept.get(key)
    if (found) {
      kept.delete(key)
      kept.set(key, found)
      return found.value
    }
    const value = load()
    kept.set(key, { value, weight: 0 })
    value.then(
      (loaded) => settle(key, weigh(loaded)),
      () => drop(key),
    )
    return value
  }
}
