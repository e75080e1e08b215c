/**
 * A URI reference as Go's net/url would write it after reading it: the scheme in lower case, the path escaped, the rest
 * as it is. Undefined when Go would refuse it. The real Broker reads `source` and `dataschema` this way.
 */
export function toUriReference(text: string): string | undefined {
  const [, scheme = '', rest = ''] = /^([a-zA-Z][a-zA-Z0-9+.-]*:)?(.*)$/s.exec(text) ?? []
  if (hasControl(text) || (scheme === '' && /^[^/?#]*:/.test(text))) return undefined
  const [, authority = '', path = '', query = '', fragment = ''] = parts.exec(rest) ?? []
  if (hasBadEscape(path) || hasBadEscape(fragment) || !isAuthority(authority)) return undefined
  const isOpaque = scheme !== '' && authority === '' && !path.startsWith('/')
  const hash = fragment === '#' ? '' : escaped(fragment)
  return scheme.toLowerCase() + authority + (isOpaque ? path : escaped(path)) + query + hash
}

const parts = /^(\/\/(?!\/)[^/?#]*)?([^?#]*)(\?[^#]*)?(#.*)?$/s

function isAuthority(text: string): boolean {
  return (
    text === '' || /^\/\/([^@]*@)?(\[[\da-fA-F:.%\w]*\]|[\w\-.~!$&'()*+,;=<>"%\u0080-\u{10ffff}]*)(:\d*)?$/u.test(text)
  )
}

function hasBadEscape(text: string): boolean {
  return /%(?![0-9a-fA-F]{2})/.test(text)
}

/** Whether a URI reference names its scheme. */
export function isAbsolute(uri: string): boolean {
  return /^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(uri)
}

function hasControl(text: string): boolean {
  return [...text].some((char) => char < ' ' || char === '\x7f')
}

/** Go leaves a text alone whose every character may stand, and else escapes more than it must. */
function escaped(text: string): string {
  if (/^[\w\-.~!$&'()*+,;=:@[\]%/#?]*$/.test(text)) return text
  return text.replace(
    /[^\w\-.~$&+,;=:@%/#]/gu,
    (char) => `%${Buffer.from(char).toString('hex').toUpperCase().match(/../g)?.join('%')}`,
  )
}
