export type Dict = Record<string, unknown>

/** True for an object with keys, as YAML and JSON have it. */
export const isDict = (value: unknown): value is Dict =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What stands at a path of keys in a value that nobody has checked; undefined where there is none. */
export const valueAt = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, key) => (isDict(inner) ? inner[key] : undefined), value)
