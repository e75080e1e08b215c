import { describe, expect, it } from 'vitest'
import { joinProblems, toMachine } from '../../shared/join.ts'
import { overridable, type Template } from '../../shared/schema/template.ts'
import { smallRequest } from '../examples/starter.ts'

/** What a machine takes over as it is. */
const taken: Pick<
  Template,
  | 'guest'
  | 'guestAgent'
  | 'image'
  | 'size'
  | 'rootDisk'
  | 'disks'
  | 'networks'
  | 'customizations'
  | 'variables'
  | 'placement'
> = {
  guest: 'linux',
  guestAgent: true,
  image: { dataSource: 'rhel9', namespace: 'images' },
  size: { instancetype: 'u1.small', preference: 'rhel.9' },
  rootDisk: { size: '30Gi', storageClass: 'fast' },
  disks: [{ name: 'data', size: '1Gi' }],
  networks: [{ network: 'servers' }],
  customizations: ['base'],
  variables: { timezone: 'Etc/UTC', port: '1' },
  placement: { clusterSets: ['global'] },
}

const template = (change: Partial<Template> = {}): Template => ({
  description: 'one',
  ...taken,
  labels: { tier: 'web', zone: 'a' },
  overrides: [...overridable],
  ...change,
})

describe('toMachine', () => {
  it('takes everything from the template when the request says nothing', () => {
    const { machine } = toMachine(template(), smallRequest())
    expect(machine).toEqual({
      template: 'linux-small',
      ...taken,
    })
  })

  it.each<[string, object, object]>([
    [
      'keeps the preference of a size',
      { size: { cores: 2, memory: '4Gi' } },
      { size: { cores: 2, memory: '4Gi', preference: 'rhel.9' } },
    ],
    [
      'lets a request name the preference',
      { size: { instancetype: 'm1.large', preference: 'rhel.8' } },
      { size: { instancetype: 'm1.large', preference: 'rhel.8' } },
    ],
    [
      'keeps the storage class of a root disk',
      { rootDisk: { size: '50Gi' } },
      { rootDisk: { size: '50Gi', storageClass: 'fast' } },
    ],
    ['replaces the list of disks', { disks: [] }, { disks: [] }],
    ['replaces the list of networks', { networks: [{ network: 'other' }] }, { networks: [{ network: 'other' }] }],
    ['replaces the customizations', { customizations: ['mine'] }, { customizations: ['mine'] }],
    ['merges variables', { variables: { port: '2' } }, { variables: { timezone: 'Etc/UTC', port: '2' } }],
    ['replaces the placement', { placement: { cluster: 'site-a' } }, { placement: { cluster: 'site-a' } }],
  ])('%s', (_, request, machine) => {
    expect(toMachine(template(), { ...smallRequest(), ...request }).machine).toMatchObject(machine)
  })

  it('labels with environment, application, template, request and ticket, the later over the earlier', () => {
    const request = { ...smallRequest(), labels: { zone: 'b', application: 'mine' }, ticket: 'CHG1' }
    expect(toMachine(template(), request).labels).toEqual({
      environment: 'prod',
      application: 'mine',
      tier: 'web',
      zone: 'b',
      'drover.dev/ticket': 'CHG1',
    })
  })
})

describe('joinProblems', () => {
  it.each(overridable)('refuses to override %s where the template does not allow it', (field) => {
    const value =
      { size: { instancetype: 'a' }, rootDisk: { size: '99Gi' }, placement: {}, variables: {}, labels: {} }[
        field as 'size'
      ] ?? []
    const only = template({ overrides: overridable.filter((one) => one !== field) })
    const problems = joinProblems(only, { ...smallRequest(), [field]: value })
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(`${field} may not be overridden for template "linux-small": wanted only `)
  })

  it.each<[string, object, string]>([
    [
      'a root disk that is too small',
      { rootDisk: { size: '20480Mi' } },
      'rootDisk.size is "20480Mi", wanted at least "30Gi", as its template has',
    ],
    [
      'a disk name twice',
      {
        disks: [
          { name: 'a', size: '1Gi' },
          { name: 'a', size: '2Gi' },
        ],
      },
      'disks has "a" twice, wanted each name once',
    ],
    [
      "a label of Drover's",
      { labels: { 'drover.dev/machine': 'x' } },
      'labels has the key "drover.dev/machine", wanted another prefix: the platform writes this one itself',
    ],
    [
      "a label of Kubernetes'",
      { labels: { 'app.kubernetes.io/managed-by': 'x' } },
      'labels has the key "app.kubernetes.io/managed-by", wanted another prefix: the platform writes this one itself',
    ],
    [
      'too many labels',
      { labels: Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`l${index}`, 'x'])) },
      'labels are 34 in all, wanted at most 32',
    ],
  ])('refuses %s', (_, request, sentence) => {
    expect(joinProblems(template(), { ...smallRequest(), ...request })).toEqual([sentence])
  })

  it('takes labels with the prefix of a company', () => {
    expect(
      joinProblems(template(), { ...smallRequest(), labels: { 'notdrover.dev/a': 'x', 'example.com/b': 'y' } }),
    ).toEqual([])
  })
})
