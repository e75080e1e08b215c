/**
 * A URI reference as Go's net/url would write it after reading it: the scheme in lower case, the path escaped, the rest
 * as it is. Undefined when Go would refuse it. The real Broker reads `source` and `dataschema` this way.
 */
export function toUriReference(text: string): string | undefined {
  const [, scheme = '', rest = ''] = /^([a-zA-Z][a-zA-Z0-9+.-]*:)?(.*)$/s.exec(text) ?? []
  if (hasControl(text) || (scheme === '' && /^[^/?#]*:/.test(text))) return undefined
  const [, path = '', query = '', fragment = ''] = /^([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(rest) ?? []
  if (/%(?![0-9a-fA-F]{2})/.test(path + fragment)) return undefined
  const isOpaque = scheme !== '' && !path.startsWith('/')
  return scheme.toLowerCase() + (isOpaque ? path : escaped(path)) + query + escaped(fragment)
}

/** Whether a URI reference names its scheme. */
export function isAbsolute(uri: string): boolean {
  return /^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(uri)
}

function hasControl(text: string): boolean {
  return [...text].some((char) => char < ' ' || char === '\x7f')
}

function escaped(text: string): string {
  return text.replace(/[^\w\-.~!$&'()*+,;=:@[\]%/#]/gu, (char) => encodeURIComponent(char))
}
