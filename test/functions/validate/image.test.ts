import { describe, expect, it } from 'vitest'
import { validate } from '../../../functions/validate/validate.ts'
import { asked, starterFiles } from '../../examples/starter.ts'
import { memoryFleet } from '../../fleet.ts'

const request = (change: object = {}) => ({
  namespace: 'golden',
  image: 'rhel9',
  cluster: 'site-a',
  source: { dataSource: 'rhel9', namespace: 'openshift-virtualization-os-images' },
  size: '30Gi',
  ...change,
})
const hex = 'a'.repeat(64)
const url = (text: string) => ({ source: { url: text } })
const push = (change: object = {}) => ({
  push: { repository: 'registry.example.com/golden/rhel9', tag: '9.6', ...change },
})
const secrets = (change: object = {}) => ({
  secrets: [
    {
      name: 'golden',
      store: 'platform',
      storeKind: 'ClusterSecretStore',
      data: { a: { key: 'golden/rhel' } },
      ...change,
    },
  ],
})

const withoutRules = () => {
  const { 'policy/golden-images.yaml': _, ...files } = starterFiles()
  return files
}
const outcomeOf = (change: object, files = starterFiles()) =>
  validate(asked(request(change), { lifecycle: 'golden-image' }), memoryFleet(files))

describe('validate', () => {
  it.each<[what: string, change: object]>([
    ['a DataSource', {}],
    ['a URL with its checksum', { source: { url: 'https://cloud.example.com/x.qcow2', checksum: `sha256:${hex}` } }],
    [
      'a registry',
      { source: { registry: `docker://registry.example.com/base/rhel9@sha256:${hex}`, secret: 'registry-pull' } },
    ],
    ['a customization by name', { customizationName: 'golden-rhel' }],
    [
      'a customization with a key that it has made',
      { ...secrets(), customization: { rootPassword: { secret: 'golden', key: 'a' } } },
    ],
    [
      'secrets, a push and what follows it',
      { ...secrets(), ...push(), publish: { follow: { schedule: '*/30 2,3 ? JAN-jun sun' } } },
    ],
    ['a DataSource with a long name that nothing follows', { publish: { dataSource: 'x'.repeat(50) } }],
    [
      'a follower with the longest name that CDI can work with',
      { image: 'x'.repeat(40), ...push(), publish: { dataSource: 'x'.repeat(35), follow: { schedule: '0 2 * * 0' } } },
    ],
  ])('grants a golden image from %s', async (_, change) => {
    expect(await outcomeOf(change)).toMatchObject({ kind: 'succeeded' })
  })

  it.each<[what: string, change: object, says: string]>([
    ['no cluster', { cluster: undefined }, 'cluster is missing'],
    ['a name that is too long', { image: 'x'.repeat(41) }, 'wanted up to 40'],
    ['a size that is none', { size: 'large' }, 'size is "large"'],
    ['no source', { source: {} }, 'source is'],
    ['a registry without a digest', { source: { registry: 'docker://registry.example.com/x:9' } }, 'by digest'],
    ['a checksum that is none', { source: { url: 'https://cloud.example.com/x', checksum: 'md5:1' } }, 'checksum'],
    ['a value of a secret', { secrets: [{ name: 'a', store: 'platform', data: { a: 'hunter2' } }] }, 'secrets[0].data'],
    ['a field that there is not', { pushes: {} }, 'pushes'],
    ['a schedule that is none', { ...push(), publish: { follow: { schedule: 'daily' } } }, 'publish.follow.schedule'],
    [
      'a schedule of hours that there are not',
      { ...push(), publish: { follow: { schedule: '0 25 * * 0' } } },
      'publish.follow.schedule has the hour "25", wanted numbers from 0 to 23, such as "1", "1-5" or "*/2"',
    ],
    ['more old images than may be', { publish: { keep: 21 } }, 'publish.keep'],
    ['a URL with a password', url('https://me:pw@cloud.example.com/x'), 'user name or password'],
    ['a URL that is fetched from elsewhere', url('https://cloud.example.com/a/../x'), 'wanted its plain form'],
    ['a URL of a host that policy does not have', url('https://evil.example.com/x'), 'source.url is'],
    ['a URL that has the host in its path', url('https://evil.com/cloud.example.com/x'), 'source.url is'],
    ['a repository without a host', push({ repository: 'golden/rhel9' }), 'push.repository'],
    ['a repository that policy does not have', push({ repository: 'evil.example.com/golden/x' }), 'push.repository is'],
    ['a tag that is none', push({ tag: '.x' }), 'push.tag'],
    ['follow without a push', { publish: { follow: { schedule: '0 2 * * 0' } } }, 'wanted a tag that can be followed'],
    [
      'a follower whose name is too long for CDI',
      { ...push(), publish: { dataSource: 'x'.repeat(36), follow: { schedule: '0 2 * * 0' } } },
      `publish.follow makes "${'x'.repeat(36)}-latest" of 43 characters, wanted at most 42`,
    ],
    [
      'a follower that has the long name of its image',
      { image: 'x'.repeat(40), ...push(), publish: { follow: { schedule: '0 2 * * 0' } } },
      'publish.dataSource of at most 35',
    ],
    ['a secret that policy does not have', secrets({ data: { a: { key: 'prod/db' } } }), 'platform/prod/db'],
    ...[
      ['customization.rootPassword', { customization: { rootPassword: { secret: 'prod-db', key: 'password' } } }],
      ['push.secret', push({ secret: 'prod-db' })],
      ['publish.follow.secret', { ...push(), publish: { follow: { schedule: '0 2 * * 0', secret: 'prod-db' } } }],
      ['source.secretHeaders', { source: { ...url('https://cloud.example.com/x').source, secretHeaders: 'prod-db' } }],
      ['source.secret', { source: { registry: `docker://registry.example.com/x@sha256:${hex}`, secret: 'prod-db' } }],
    ].map(([path, change]): [string, object, string] => [
      `a Secret in ${path} that policy does not have`,
      change as object,
      `${path} is "Secret:prod-db`,
    ]),
    [
      'a key beside those that it has made',
      { ...secrets(), customization: { rootPassword: { secret: 'golden', key: 'other' } } },
      'customization.rootPassword is "Secret:golden/other", wanted one of "platform/golden/*" and "Secret:registry-*"',
    ],
    ['a Secret of a machine to push with', push({ secret: 'web-01-sysprep' }), 'that one is of machines'],
    ['a Secret of a ServiceAccount', push({ secret: 'default-token-x7k2p' }), 'that one is of a ServiceAccount'],
    ['a secret of a machine', secrets({ name: 'web-01-cloudinit' }), 'that one is of machines'],
    ['a secret twice', { secrets: [...secrets().secrets, ...secrets().secrets] }, 'secrets has "golden" twice'],
    ['a customization that there is not', { customizationName: 'none' }, 'wanted one that there is'],
    ['a customization without a disk', { customizationName: 'base-linux' }, 'says nothing of disks'],
    ['two customizations', { customization: {}, customizationName: 'golden-rhel' }, 'wanted one of them'],
    ['a namespace of the platform', { namespace: 'kube-system' }, 'namespace is "kube-system"'],
    ['a disk that is too large', { size: '9Ti' }, 'size is "9Ti", wanted at most "4Ti"'],
  ])('refuses a golden image with %s', async (_, change, says) => {
    expect(await outcomeOf(change)).toMatchObject({ kind: 'refused', message: expect.stringContaining(says) })
  })

  it.each<[what: string, change: object, rule: string]>([
    ['be fetched', url('https://cloud.example.com/x'), 'allowImageSources'],
    ['be pushed', push(), 'allowPushes'],
    ['read secrets', secrets(), 'allowSecrets'],
    ['name a Secret', push({ secret: 'registry-push' }), 'allowSecrets'],
  ])('lets no golden image %s where no policy has the rule', async (_, change, rule) => {
    expect(await outcomeOf(change, withoutRules())).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining(`no policy has ${rule}`),
    })
  })
})
