import canonicalize from 'canonicalize'

/**
 * The JSON text of an event's data is kept beside the data: what came is not written anew to see whether its signature fits,
 * and what goes out has the very form that was signed. It goes with the object, so another object has another text.
 */
const texts = new WeakMap<object, string>()

/** Says which text data was read from. Whoever reads it does not change it. */
export function readFrom(text: string, data: unknown): void {
  if (isObject(data)) texts.set(data, text)
}

/** The text that data was read from or is signed as, where that is known. */
export const textOf = (data: unknown): string | undefined => (isObject(data) ? texts.get(data) : undefined)

/** The form of data that a signature is of, whatever it came as: JCS (RFC 8785); undefined for no data. */
export const signedForm = (data: unknown): string | undefined => canonicalize(data)

/** The text that data is sent as: as it came, else the form that a signature is of. */
export function sentAs(data: unknown): string | undefined {
  const known = textOf(data)
  if (known !== undefined) return known
  const text = signedForm(data)
  if (text !== undefined) readFrom(text, data)
  return text
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
