import { keepSecret } from '../../secrets.ts'

/** Remembers the secrets that are handed out, and takes them out of what is said, in whichever form they come back. */
export interface Redactor {
  add(...secrets: readonly string[]): void
  /** Remembers the password of an address, if it has one. */
  addAddress(address: string | undefined): void
  redact(text: string): string
}

export function openRedactor(): Redactor {
  const secrets = new Set<string>()
  const add: Redactor['add'] = (...given) => {
    for (const secret of given.filter((one) => one !== ''))
      secrets.add(keepSecret(secret)).add(encodeURIComponent(secret))
  }
  return {
    add,
    addAddress: (address) => {
      // As far as the last @: a password that was not encoded may hold any sign.
      const [, login] = /^(?:[a-z0-9]+:\/\/)?(.+)@/i.exec(address ?? '') ?? []
      if (!login?.includes(':')) return
      for (const form of [login, decoded(login)])
        add(form, form.slice(form.indexOf(':') + 1), Buffer.from(form).toString('base64'))
    },
    redact: (text) => {
      // The longer ones first: a shorter one may be a part of them.
      const longest = [...secrets].sort((one, other) => other.length - one.length)
      return longest.reduce((rest, secret) => rest.replaceAll(secret, '***'), text)
    },
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
