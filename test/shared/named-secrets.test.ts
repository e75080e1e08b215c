import { describe, expect, it } from 'vitest'
import { namedSecrets, secretWords } from '../../shared/named-secrets.ts'
import { requests } from '../../shared/schema/requests.ts'
import { everything } from './images/customizations.ts'

/** Where the schema of a request has the name of a Secret, by the names of its fields. */
function* secretFields(schema: unknown, path = ''): Generator<string> {
  if (typeof schema !== 'object' || schema === null) return
  const { properties, items, anyOf } = schema as { properties?: object; items?: unknown; anyOf?: unknown[] }
  for (const one of anyOf ?? []) yield* secretFields(one, path)
  if (items) yield* secretFields(items, `${path}[]`)
  for (const [name, inner] of Object.entries(properties ?? {})) {
    const at = path === '' ? name : `${path}.${name}`
    if (/secret|credential|token/i.test(name) && at !== 'secrets') yield at
    else yield* secretFields(inner, at)
  }
}

const customization = ['rootPassword.secret', 'subscription.secret', 'sshKeys[].secret'].map(
  (path) => `customization.${path}`,
)
const known: Partial<Record<keyof typeof requests, string[]>> = {
  patch: customization,
  'golden-image': [
    ...['source.secretHeaders', 'source.secret'],
    ...customization,
    ...['push.secret', 'publish.follow.secret'],
  ],
}

describe('the Secrets that a request names', () => {
  it.each(Object.entries(requests))('are all known: %s', (lifecycle, schema) => {
    expect([...new Set(secretFields(schema))]).toEqual(known[lifecycle as keyof typeof requests] ?? [])
  })

  it('are those of a customization, key by key', () => {
    expect(secretWords({ customization: everything() })).toEqual([
      ['customization.rootPassword', 'Secret:root/password'],
      ['customization.subscription.org', 'Secret:rhel/org'],
      ['customization.subscription.activationKey', 'Secret:rhel/key'],
      ['customization.sshKeys[0]', 'Secret:ann/id_ed25519.pub'],
    ])
  })

  it('are those that somebody is given all of', () => {
    const request = {
      source: { url: 'https://x/y', secretHeaders: 'headers' },
      push: { repository: 'x/y', tag: '1', secret: 'push' },
      publish: { follow: { schedule: '0 2 * * 0', secret: 'pull' } },
    }
    expect(namedSecrets(request)).toEqual([
      { path: 'source.secretHeaders', secret: 'headers' },
      { path: 'push.secret', secret: 'push' },
      { path: 'publish.follow.secret', secret: 'pull' },
    ])
    expect(namedSecrets({ source: { registry: 'docker://x', secret: 'base' } })).toEqual([
      { path: 'source.secret', secret: 'base' },
    ])
  })

  it('are not held to policy where the request has had them made, but for keys that it has not', () => {
    const secrets = [{ name: 'root', store: 'platform', data: { password: { key: 'golden/root' } } }]
    const rootPassword = (key: string) => ({ rootPassword: { secret: 'root', key } })
    expect(secretWords({ secrets, customization: rootPassword('password') })).toEqual([])
    expect(secretWords({ secrets, customization: rootPassword('other') })).toEqual([
      ['customization.rootPassword', 'Secret:root/other'],
    ])
    // A name of a field of every object is no key that was made.
    expect(secretWords({ secrets, customization: rootPassword('constructor') })).toHaveLength(1)
  })
})
