import { describe, expect, it } from 'vitest'
import { validate } from '../../../functions/validate/validate.ts'
import { asked, starterFiles } from '../../examples/starter.ts'
import { memoryFleet } from '../../fleet.ts'

const outcomeOf = (change: object, files: Record<string, string> = starterFiles()) =>
  validate(asked({ namespace: 'shop', name: 'web-01', ...change }, { lifecycle: 'patch' }), memoryFleet(files))

const sshKey = (secret: string, key = 'password') => ({ customization: { sshKeys: [{ user: 'root', secret, key }] } })
const policy = (...globs: string[]) => ({
  ...starterFiles(),
  'policy/golden-images.yaml': `description: keys\nrules: { allowSecrets: ${JSON.stringify(globs)} }\n`,
})
const without = () => {
  const { 'policy/golden-images.yaml': _, ...files } = starterFiles()
  return files
}

describe('a patch is refused before its machine is stopped', () => {
  it.each<[what: string, change: object, says: string]>([
    ['for a customization that there is not', { customizationName: 'none' }, 'wanted one that there is'],
    ['for one that says nothing of disks', { customizationName: 'base-linux' }, 'wanted its field "disk"'],
    ['for two at once', { customization: {}, customizationName: 'golden-rhel' }, 'wanted one of them'],
  ])('%s', async (_, change, says) => {
    expect(await outcomeOf(change)).toMatchObject({ kind: 'refused', message: expect.stringContaining(says) })
  })

  it('and for nothing else', async () => {
    for (const change of [{}, { customization: { update: true } }, { customizationName: 'golden-rhel' }])
      expect(await outcomeOf(change)).toMatchObject({ kind: 'succeeded' })
  })
})

describe('a patch puts a Secret of its namespace into the guest, where its root reads it: so it', () => {
  it.each<[what: string, change: object, says: string]>([
    ['an SSH key', sshKey('prod-db'), 'customization.sshKeys[0] is "Secret:prod-db/password", wanted one of'],
    [
      'the password of root',
      { customization: { rootPassword: { secret: 'prod-db', key: 'password' } } },
      'customization.rootPassword is "Secret:prod-db/password"',
    ],
    [
      'an organization',
      { customization: { subscription: { secret: 'prod-db', org: 'password', activationKey: 'user' } } },
      'customization.subscription.org is "Secret:prod-db/password"',
    ],
    [
      'an activation key',
      { customization: { subscription: { secret: 'prod-db', org: 'password', activationKey: 'user' } } },
      'customization.subscription.activationKey is "Secret:prod-db/user"',
    ],
  ])('is refused with one as %s that policy does not have', async (_, change, says) => {
    expect(await outcomeOf(change)).toMatchObject({ kind: 'refused', message: expect.stringContaining(says) })
  })

  it('is refused with any where no policy has allowSecrets', async () => {
    expect(await outcomeOf(sshKey('ops', 'ann.pub'), without())).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('wanted none: no policy has allowSecrets'),
    })
  })

  it.each([
    ['every key of it', 'Secret:ops/*'],
    ['the key alone', 'Secret:ops/ann.pub'],
  ])('is granted with one of which policy allows %s', async (_, glob) => {
    expect(await outcomeOf(sshKey('ops', 'ann.pub'), policy(glob))).toMatchObject({ kind: 'succeeded' })
  })

  it.each(['Secret:ops', 'ops/ann.pub', 'Secret:ops/ann', 'platform/*'])(
    'is refused where policy has %s',
    async (glob) => {
      expect(await outcomeOf(sshKey('ops', 'ann.pub'), policy(glob))).toMatchObject({ kind: 'refused' })
    },
  )

  it.each([
    ['web-02-cloudinit', 'that one is of machines'],
    ['web-02-sysprep', 'that one is of machines'],
    ['default-token-x7k2p', 'that one is of a ServiceAccount'],
    ['builder-dockercfg-9bnvq', 'that one is of a ServiceAccount'],
  ])('is refused with %s even where policy allows all', async (secret, says) => {
    expect(await outcomeOf(sshKey(secret, 'userdata'), policy('*'))).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining(says),
    })
  })

  it('is granted what a customization of the fleet names, which its owners have written', async () => {
    expect(await outcomeOf({ customizationName: 'golden-rhel' }, without())).toMatchObject({ kind: 'succeeded' })
  })
})
