/**
 * Fills `${…}` in the texts of customizations. It works on parsed values, so what is filled in stays text and cannot
 * become a key, a list or a command; and it works once, so a value that looks like `${…}` stays as it is.
 */

/** Where the value of a placeholder comes from; undefined when nobody knows it. */
export type Lookup = (placeholder: string) => string | undefined

/** What a text became, and the placeholders nobody knew. */
export interface Filled<T> {
  value: T
  unknown: string[]
}

/** Fills one text; `$${` stands for a `${` that is meant as it is. */
export function fillText(text: string, lookup: Lookup): Filled<string> {
  const unknown: string[] = []
  const value = text.replace(/\$(\$\{)|\$\{([^{}]*)\}/g, (whole, escaped?: string, placeholder?: string) => {
    if (escaped !== undefined) return escaped
    const found = lookup(placeholder ?? '')
    if (found === undefined) unknown.push(whole)
    return found ?? whole
  })
  return { value, unknown }
}

/** Fills every text inside a value; keys stay as they are. */
export function fillValue(value: unknown, lookup: Lookup): Filled<unknown> {
  const unknown: string[] = []
  const fill = (inner: unknown): unknown => {
    if (Array.isArray(inner)) return inner.map(fill)
    if (typeof inner === 'object' && inner !== null)
      return Object.fromEntries(Object.entries(inner).map(([key, each]) => [key, fill(each)]))
    if (typeof inner !== 'string') return inner
    const filled = fillText(inner, lookup)
    unknown.push(...filled.unknown)
    return filled.value
  }
  return { value: fill(value), unknown }
}
