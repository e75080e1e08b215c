import { describe, expect, it } from 'vitest'
import { agreedSecrets } from '../../../shared/cloudinit/agreed-secrets.ts'
import type { SecretReference } from '../../../shared/schema/fleet-files.ts'

const first: SecretReference = { store: 'vault', key: 'shop/web', property: 'password' }

const linux = { description: 'one of several', guest: 'linux' } as const

/** What comes of a secret that two customizations define. */
function agree(other: SecretReference) {
  const problems: string[] = []
  const customizations = [
    { name: 'base', ...linux, secrets: { password: first } },
    { name: 'plain', ...linux },
    { name: 'web', ...linux, secrets: { password: other, token: { store: 'vault', key: 'shop/token' } } },
  ]
  return { problems, secrets: Object.fromEntries(agreedSecrets(customizations, problems)) }
}

describe('the secrets of several customizations', () => {
  it.each<[string, SecretReference]>([
    ['word for word', first],
    ['where one names the kind of store that is meant anyway', { ...first, storeKind: 'SecretStore' }],
  ])('may be defined twice, %s', (_, other) => {
    const { problems, secrets } = agree(other)
    expect(problems).toEqual([])
    expect(secrets).toEqual({ password: first, token: { store: 'vault', key: 'shop/token' } })
  })

  it.each<[string, SecretReference]>([
    ['in another store', { ...first, store: 'safe' }],
    ['in a store of another kind', { ...first, storeKind: 'ClusterSecretStore' }],
    ['under another key', { ...first, key: 'shop/db' }],
    ['as another property', { ...first, property: 'pin' }],
  ])('may not be defined %s', (_, other) => {
    expect(agree(other).problems).toEqual(['customizations "base" and "web" define the secret "password" differently'])
  })
})
