/** A copy of what JSON or YAML can say, to change as one likes; made in a fifth of the time that `structuredClone` takes for all else. */
export function copyOf<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copyOf) as T
  // A date, which YAML has too.
  if (Object.getPrototypeOf(value) !== Object.prototype) return structuredClone(value)
  const copy: Record<string, unknown> = {}
  for (const [key, one] of Object.entries(value)) define(copy, key, copyOf(one))
  return copy as T
}

/** A key may be `__proto__`. */
function define(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
  else object[key] = value
}
