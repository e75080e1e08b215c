/**
 * The secrets that this process was given, to take them out of what it says. The last line of defence: no sentence of ours holds
 * one, but what others answer is logged, and a server, or a proxy before it, may say back what it was asked with.
 */

/** Tokens are renewed every hour or so; those of days ago are no secrets any more. */
const mostKnown = 300
/** Shorter ones would take words out of what is said. */
const shortest = 8

const known = new Set<string>()
let longestFirst: readonly string[] = []

/** Remembers a secret, and answers it. */
export function keepSecret(secret: string): string {
  if (secret.length < shortest) return secret
  const isNew = !known.has(secret)
  for (const form of formsOf(secret)) {
    known.delete(form)
    known.add(form)
  }
  for (const oldest of known) {
    if (known.size <= mostKnown) break
    known.delete(oldest)
  }
  // A shorter one may be a part of a longer one.
  if (isNew) longestFirst = [...known].sort((one, other) => other.length - one.length)
  return secret
}

/** As it comes back in addresses, and in JSON, which is what a line of the log is. */
const formsOf = (secret: string) => new Set([secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])

/** The text without any secret that is known. */
export const withoutSecrets = (text: string): string =>
  longestFirst.reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), text)
