/** How a registry wants to be told who asks. */
export type Challenge = { scheme: 'basic' } | { scheme: 'bearer'; realm: string; service?: string }

/** A parameter with its value, quoted or not; or, where no "=" follows, the name of a scheme. */
const words = /([a-z][\w-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]*))|([a-z][\w-]*)/gi

/** Reads `WWW-Authenticate`, in which several challenges may stand; undefined where there is none that we can answer. */
export function parseChallenge(header: string): Challenge | undefined {
  const found: { scheme: string; parameters: Record<string, string> }[] = []
  for (const [, name, quoted, plain, scheme] of header.matchAll(words)) {
    if (scheme !== undefined) found.push({ scheme: scheme.toLowerCase(), parameters: {} })
    const last = found.at(-1)
    if (name !== undefined && last) last.parameters[name.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? plain ?? ''
  }
  const { realm, service } = found.find(({ scheme }) => scheme === 'bearer')?.parameters ?? {}
  if (realm) return { scheme: 'bearer', realm, ...(service && { service }) }
  return found.some(({ scheme }) => scheme === 'basic') ? { scheme: 'basic' } : undefined
}
