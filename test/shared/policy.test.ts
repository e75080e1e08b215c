import { describe, expect, it } from 'vitest'
import { matches } from '../../shared/globs.ts'
import { violations } from '../../shared/policy.ts'
import type { Subject } from '../../shared/policy-rules.ts'
import type { Policy } from '../../shared/schema/fleet-files.ts'
import { smallRequest } from '../examples/starter.ts'

const subject = (
  change: { request?: object; machine?: object; labels?: Record<string, string>; name?: string } & Pick<
    Subject,
    'dataDisks' | 'sizes'
  > = {},
): Subject => ({
  request: { ...smallRequest(), ...change.request },
  machine: {
    template: 'linux-small',
    guest: 'linux',
    guestAgent: true,
    image: { dataSource: 'rhel9', namespace: 'images' },
    size: { cores: 4, memory: '8Gi' },
    rootDisk: { size: '30Gi' },
    disks: [{ name: 'data', size: '100Gi' }],
    networks: [{ network: 'servers' }, { network: 'backup' }],
    customizations: [],
    variables: {},
    placement: {},
    ...change.machine,
  },
  labels: change.labels ?? { tier: 'web' },
  name: change.name ?? 'prod-shop-001',
  ...(change.dataDisks === undefined ? {} : { dataDisks: change.dataDisks }),
  ...(change.sizes ? { sizes: change.sizes } : {}),
})
const policy = (rules: Policy['rules'], namespaces?: string[]): Policy => ({
  description: 'house rules',
  ...(namespaces && { namespaces }),
  rules,
})
const registry = { image: { registry: 'docker://evil.example.com/x@sha256:00' } }
const callback = (url: string) => ({ request: { callback: { url } } })

describe('violations', () => {
  it.each<[string, Policy['rules'], Parameters<typeof subject>[0], string]>([
    ['a namespace not allowed', { allowNamespaces: ['team-*'] }, {}, 'namespace is "shop", wanted "team-*"'],
    [
      'a namespace denied',
      { denyNamespaces: ['default', 'sh*'] },
      {},
      'namespace is "shop", wanted anything but one of "default" and "sh*"',
    ],
    [
      'a name of the wrong form',
      { names: { pattern: '^web-', wanted: 'a name that begins with "web-"' } },
      {},
      'name is "prod-shop-001", wanted a name that begins with "web-"',
    ],
    ['a name denied', { denyNames: ['prod-*'] }, {}, 'name is "prod-shop-001", wanted anything but "prod-*"'],
    ['a template', { allowTemplates: ['database'] }, {}, 'template is "linux-small", wanted "database"'],
    ['an image', { allowImages: ['golden/*'] }, {}, 'image is "images/rhel9", wanted "golden/*"'],
    [
      'an image of a registry',
      { allowImages: ['images/*'] },
      { machine: registry },
      'image is "docker://evil.example.com/x@sha256:00", wanted "images/*"',
    ],
    [
      'an image of a host whose path is like a host that is allowed',
      { allowImages: ['docker://*.example.org/*'] },
      { machine: { image: { registry: 'docker://evil.example.com/x.example.org/rhel9@sha256:00' } } },
      'image is "docker://evil.example.com/x.example.org/rhel9@sha256:00", wanted "docker://*.example.org/*"',
    ],
    ['a network', { allowNetworks: ['servers'] }, {}, 'networks[1].network is "backup", wanted "servers"'],
    [
      'a cluster',
      { allowClusters: ['site-a'] },
      { machine: { placement: { cluster: 'site-b' } } },
      'placement.cluster is "site-b", wanted "site-a"',
    ],
    ['an owner', { allowOwners: ['Group:team-web'] }, {}, 'owner is "Group:team-shop", wanted "Group:team-web"'],
    ['an owner of another kind', { allowOwners: ['User:*'] }, {}, 'owner is "Group:team-shop", wanted "User:*"'],
    [
      'everything',
      { allowNetworks: [] },
      { machine: { networks: [{ network: 'a' }] } },
      'networks[0].network is "a", wanted none',
    ],
    [
      'an instance type',
      { allowInstancetypes: ['u1.*'] },
      { machine: { size: { instancetype: 'm1.large' } } },
      'size.instancetype is "m1.large", wanted "u1.*"',
    ],
    ['too many cores', { maxCores: 2 }, {}, 'size.cores is 4, wanted at most 2'],
    ['too much memory', { maxMemory: '4096Mi' }, {}, 'size.memory is "8Gi", wanted at most "4096Mi"'],
    ['too many disks', { maxDisks: 2 }, { dataDisks: 3 }, 'the machine would have 3 data disks, wanted at most 2'],
    [
      'too large a disk that is to grow',
      { maxDiskSize: '100Gi' },
      { sizes: [['grow.data', '200Gi']] },
      'grow.data is "200Gi", wanted at most "100Gi"',
    ],
    ['too large a disk', { maxDiskSize: '50Gi' }, {}, 'disks[0].size is "100Gi", wanted at most "50Gi"'],
    [
      'too large a root disk',
      { maxDiskSize: '100Gi' },
      { machine: { rootDisk: { size: '1Ti' } } },
      'rootDisk.size is "1Ti", wanted at most "100Gi"',
    ],
    ['no ticket', { requireTicket: true }, {}, 'ticket is missing, wanted the change ticket of this request'],
    ['no label', { requiredLabels: ['tier', 'cost-center'] }, {}, 'labels has no "cost-center", wanted a value for it'],
    [
      'an empty label',
      { requiredLabels: ['tier'] },
      { labels: { tier: '' } },
      'labels has no "tier", wanted a value for it',
    ],
    [
      'a callback host',
      { allowCallbackHosts: ['*.example.com'] },
      callback('https://evil.example.net/x.example.com'),
      'callback.url goes to "evil.example.net", wanted "*.example.com"',
    ],
    [
      'a callback without TLS',
      { allowCallbackHosts: ['*.example.com'] },
      callback('http://a.example.com/'),
      'callback.url goes to "http://a.example.com", wanted "*.example.com"',
    ],
    [
      'an address in disguise',
      { allowCallbackHosts: ['*.example.com'] },
      callback('https://2130706433/'),
      'callback.url goes to "127.0.0.1", wanted "*.example.com"',
    ],
  ])('refuses %s', (_, rules, change, sentence) => {
    expect(violations([policy(rules)], subject(change))).toEqual([`${sentence} (policy: house rules)`])
  })

  it.each<[string, Policy['rules'], Parameters<typeof subject>[0]]>([
    [
      'what every glob fits',
      { allowNamespaces: ['s*p'], allowImages: ['images/*'], allowNetworks: ['*'], allowOwners: ['Group:*'] },
      {},
    ],
    [
      'limits that are just met',
      { maxCores: 4, maxMemory: '8192Mi', maxDisks: 1, maxDiskSize: '100Gi' },
      { dataDisks: 1, sizes: [['grow.data', '100Gi']] },
    ],
    [
      'an instance type where plain sizes are limited',
      { maxCores: 1, maxMemory: '1Gi' },
      { machine: { size: { instancetype: 'u1.large' } } },
    ],
    ['a plain size where instance types are listed', { allowInstancetypes: ['u1.*'] }, {}],
    ['a cluster that is chosen later', { allowClusters: ['site-a'] }, {}],
    ['a ticket', { requireTicket: true }, { request: { ticket: 'CHG1' } }],
    [
      'a callback over TLS on any port',
      { allowCallbackHosts: ['*.example.com'] },
      callback('https://a.example.com:8443/x'),
    ],
    [
      'a callback without TLS that is allowed by name',
      { allowCallbackHosts: ['http://127.0.0.1:*'] },
      callback('http://127.0.0.1:8080/x'),
    ],
  ])('grants %s', (_, rules, change) => {
    expect(violations([policy(rules)], subject(change))).toEqual([])
  })

  it('names every broken rule of every policy at once', () => {
    const strict = [policy({ maxCores: 1, requireTicket: true }), policy({ maxDisks: 0 })]
    expect(violations(strict, subject({ dataDisks: 1 }))).toHaveLength(3)
  })

  it('holds a policy only in its namespaces', () => {
    expect(violations([policy({ maxCores: 1 }, ['*-prod'])], subject())).toEqual([])
    expect(violations([policy({ maxCores: 1 }, ['sh*'])], subject())).toHaveLength(1)
  })

  it.each(['kube-system', 'openshift', 'openshift-cnv'])('refuses namespace %s without any policy', (namespace) => {
    expect(violations([], subject({ request: { namespace } }))).toEqual([
      expect.stringMatching(
        /^namespace is ".*", wanted anything but .* \(policy: namespaces of the platform are not for machines\)$/,
      ),
    ])
  })

  it('calls nobody back as long as no policy names hosts', () => {
    expect(violations([], subject(callback('https://a.example.com/')))).toEqual([
      'callback.url is "https://a.example.com/", wanted none: no policy has allowCallbackHosts',
    ])
  })
})

describe('matches', () => {
  it.each([
    ['a*c', 'abc', true],
    ['a*c', 'ac', true],
    ['a*c', 'acd', false],
    ['*', '', true],
    ['aa*aa', 'aaa', false],
    ['*b*b*', 'abab', true],
    ['*b*b', 'ab', false],
    ['a.c', 'abc', false],
    ['abc', 'abc', true],
    ['*.example.com', 'example.com', false],
    ['*a*a*a*a*a*a*a*a*b', 'a'.repeat(5000), false],
  ])('%s against %s is %s', (glob, word, answer) => {
    expect(matches(glob, word)).toBe(answer)
  })
})
