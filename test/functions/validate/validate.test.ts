import { describe, expect, it } from 'vitest'
import { validate } from '../../../functions/validate/validate.ts'
import { nameFile } from '../../../shared/paths.ts'
import { toYaml } from '../../../shared/yaml.ts'
import { asked, smallRequest, starterFiles } from '../../examples/starter.ts'
import { memoryFleet } from '../../fleet.ts'

const outcomeOf = (request: unknown, files: Record<string, string> = {}) =>
  validate(asked(request), memoryFleet({ ...starterFiles(), ...files }))
const with_ = (change: object) => ({ ...smallRequest(), ...change })
const windows = { template: 'windows-server', application: undefined }
const taken = (run: string) => ({ [nameFile('web-1')]: toYaml({ name: 'web-1', run, namespace: 'other', since: 'x' }) })

describe('validate', () => {
  it('joins template and request when all is well', async () => {
    const request = with_({
      size: { instancetype: 'u1.medium' },
      labels: { answer: 'yes', mode: '0o14' },
      variables: { timezone: '1:30' },
      networks: [{ network: 'servers', addresses: ['10.20.3.5'] }],
      callback: { url: 'https://hooks.example.com/drover' },
    })
    expect(await outcomeOf(request)).toMatchObject({
      kind: 'succeeded',
      message: 'The request is valid: template linux-small in namespace shop',
      facts: {
        machine: {
          template: 'linux-small',
          image: { dataSource: 'rhel9' },
          size: { instancetype: 'u1.medium', preference: 'rhel.9' },
          networks: [{ network: 'servers', addresses: ['10.20.3.5'] }],
          variables: { timezone: '1:30' },
        },
        labels: { environment: 'prod', application: 'shop', tier: 'web', answer: 'yes', mode: '0o14' },
        callback: { url: 'https://hooks.example.com/drover' },
      },
    })
  })

  it.each<[string, unknown, string]>([
    ['no object', 'provision me', 'the request is "provision me", wanted {template, namespace'],
    [
      'a __proto__',
      JSON.parse('{"__proto__": {}}'),
      'the request has a field named "__proto__", which is not allowed anywhere',
    ],
    [
      'an unknown template',
      with_({ template: 'linux-smal' }),
      'template is "linux-smal", wanted one that there is: "database", "linux-small" and "windows-server"',
    ],
    [
      'a field that the template keeps',
      with_({ template: 'database', networks: [{ network: 'servers' }] }),
      'networks may not be overridden for template "database": wanted only "size", "disks", "variables", "placement" and "labels"',
    ],
    [
      'name and pattern',
      with_({ name: 'a', namePattern: 'b-{number}' }),
      'name and namePattern are both there, wanted one of them',
    ],
    [
      'a pattern without its values',
      with_({ application: undefined }),
      'application is missing, wanted a value for namePattern of template "linux-small" "{environment}-{application}-{number:3}"',
    ],
    [
      'a name too long for Windows',
      with_({ ...windows, name: 'windows-server-01' }),
      'name has 17 characters, wanted at most 15',
    ],
    [
      'a namespace of the platform',
      with_({ namespace: 'kube-system' }),
      'namespace is "kube-system", wanted anything but one of',
    ],
    [
      'a name that policy does not like',
      with_({ name: '1st' }),
      'name is "1st", wanted a name that begins with a letter and has no two "-" in a row (policy: Names that',
    ],
    [
      'an unknown network',
      with_({ networks: [{ network: 'dmz' }] }),
      'networks[0].network is "dmz", wanted one that there is: "backup", "databases", "servers" and "windows"',
    ],
    [
      'an address of another network',
      with_({ networks: [{ network: 'servers', addresses: ['10.30.0.50'] }] }),
      'networks[0].addresses: address "10.30.0.50" is not of network "servers", wanted one of 10.20.0.0/22 or fd00:20::/64',
    ],
    [
      'an excluded address',
      with_({ networks: [{ network: 'servers', addresses: ['10.20.0.2'] }] }),
      'networks[0].addresses: address "10.20.0.2" is never given out by network "servers"',
    ],
    [
      'an address twice',
      with_({
        networks: [
          { network: 'servers', addresses: ['fd00:20::99'] },
          { network: 'servers', addresses: ['FD00:20::99'] },
        ],
      }),
      'networks ask for fd00:20::99 of servers twice, wanted each address once',
    ],
    [
      'an unknown customization',
      with_({ customizations: ['base-linux', 'nope'] }),
      'customizations has "nope", wanted those that there are: "base-linux", "golden-rhel", "jumbo-frames"',
    ],
    [
      'a customization for another guest',
      with_({ customizations: ['windows-base'] }),
      'customizations has "windows-base", which is for windows, wanted one for linux',
    ],
    [
      'a variable without value',
      with_({ customizations: ['postgresql'] }),
      'variables.postgresVersion is missing, wanted the major version, such as 16: customization "postgresql" needs it',
    ],
    [
      'a callback to anywhere',
      with_({ callback: { url: 'https://169.254.169.254/' } }),
      'callback.url goes to "169.254.169.254", wanted one of "*.example.com"',
    ],
    [
      'a callback with a password',
      with_({ callback: { url: 'https://me:secret@hooks.example.com/' } }),
      'callback.url has a user name or password in it, wanted none: events are not secret',
    ],
    [
      'a callback that is no URL',
      with_({ callback: { url: 'https://[' } }),
      'callback.url is "https://[", wanted a URL',
    ],
  ])('refuses %s', async (_, request, sentence) => {
    expect(await outcomeOf(request)).toMatchObject({ kind: 'refused', message: expect.stringContaining(sentence) })
  })

  it('never tells a password that a callback holds', async () => {
    const outcome = await outcomeOf(with_({ callback: { url: 'https://me:hunter2@hooks.example.com/' } }))
    expect(JSON.stringify(outcome)).not.toContain('hunter2')
  })

  it('names the problems of every kind at once', async () => {
    const request = with_({
      namespace: 'shop-prod',
      requester: 'ann@example.com',
      owner: { kind: 'User', name: 'bob' },
      name: 'a'.repeat(20),
      namePattern: 'b',
      rootDisk: { size: '1Gi' },
      size: { cores: 64, memory: '1Ti' },
      networks: [{ network: 'dmz' }],
      customizations: ['nope'],
    })
    const outcome = await outcomeOf(request)
    for (const part of [
      'name and namePattern',
      'rootDisk.size',
      'size.cores',
      'size.memory',
      'ticket is missing',
      'owner is "User:bob"',
      'networks[0].network',
      'customizations has "nope"',
    ])
      expect(outcome.message).toContain(part)
  })

  it('keeps its answer short, however much is wrong', async () => {
    const request = with_({
      networks: Array.from({ length: 8 }, (_, index) => ({ network: `n${index}${'x'.repeat(50)}` })),
      customizations: Array.from({ length: 16 }, (_, index) => `c${index}${'y'.repeat(50)}`),
    })
    const { message } = await outcomeOf(request)
    expect(message.length).toBeLessThanOrEqual(2000)
    expect(message).toMatch(/; and \d+ more$/)
  })

  it('says that a name is taken, unless this very run took it', async () => {
    expect(await outcomeOf(with_({ name: 'web-1' }), taken('another'))).toMatchObject({
      kind: 'refused',
      message: 'Cannot grant the request: name "web-1" is taken by a machine in namespace "other" (run another)',
    })
    expect(await outcomeOf(with_({ name: 'web-1' }), taken('run'))).toMatchObject({ kind: 'succeeded' })
  })

  it.each<[string, string, string, string]>([
    [
      'a template',
      'templates/linux-small.yaml',
      'description: [',
      'templates/linux-small.yaml: Cannot read the file: ',
    ],
    [
      'a template that is wrong',
      'templates/linux-small.yaml',
      'guest: linux\nsise: 1',
      'templates/linux-small.yaml: sise is not a known field: did you mean "size"?',
    ],
    [
      'a policy',
      'policy/broken.yaml',
      'description: x\nrules: {maxCore: 1}',
      'policy/broken.yaml: rules.maxCore is not a known field: did you mean "maxCores"?',
    ],
    ['an empty policy', 'policy/empty.yaml', '', 'policy/empty.yaml: the file is '],
    [
      'a pattern of a policy',
      'policy/broken.yaml',
      "description: x\nrules: {names: {pattern: '(', wanted: x}}",
      'policy/broken.yaml: rules.names.pattern is "(", wanted a regular expression as RE2 takes it: missing closing )',
    ],
    [
      'a pattern that looks around',
      'policy/broken.yaml',
      "description: x\nrules: {names: {pattern: '^(?!prod)', wanted: x}}",
      'policy/broken.yaml: rules.names.pattern is "^(?!prod)", wanted a regular expression as RE2 takes it: invalid',
    ],
    [
      'a network',
      'ipam/servers/network.yaml',
      'description: x',
      'ipam/servers/network.yaml: attachment is missing, wanted {namespace, name}',
    ],
    [
      "a network's numbers",
      'ipam/servers/network.yaml',
      'description: x\nattachment: {namespace: a, name: b}\ndomain: c\nsubnets: [{cidr: 10.0.0.1/24}]',
      'ipam/servers/network.yaml: subnets[0].cidr is "10.0.0.1/24", wanted "10.0.0.0/24"',
    ],
    [
      'a customization',
      'customizations/base-linux.yaml',
      'description: yes',
      'customizations/base-linux.yaml: description is true, wanted one line',
    ],
  ])('names the file when %s of the fleet is broken', async (_, path, text, sentence) => {
    const outcome = await outcomeOf(smallRequest(), { [path]: text })
    expect(outcome).toMatchObject({ kind: 'refused', message: expect.stringContaining(sentence) })
  })

  it('does not read the fleet for a request that breaks the schema', async () => {
    const head = () => Promise.reject(new Error('read'))
    expect(await validate(asked({}), { head })).toMatchObject({ kind: 'refused' })
  })
})
