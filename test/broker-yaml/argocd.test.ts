import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { rootApplication } from '../../local/clusters/bootstrap.ts'
import { machineApplication, namespaceApplication } from '../../shared/gitops/application.ts'
import { namespaceManifest } from '../../shared/gitops/namespace.ts'
import { renderImage } from '../../shared/images/render.ts'
import type { Manifest as Rendered } from '../../shared/kubevirt/manifest.ts'
import { render } from '../../shared/kubevirt/render.ts'
import { toPlacement } from '../../shared/ocm/placement.ts'
import { build, golden, run } from '../shared/images/golden.ts'
import { databaseServer, linuxServer, windowsServer } from '../shared/kubevirt/definitions.ts'
import { kustomize } from './kustomize.ts'
import { find } from './manifest.ts'

const root = new URL('../..', import.meta.url).pathname
const objects = kustomize('broker/argocd')
const kindsOf = (manifests: Rendered[]) =>
  [
    ...new Set(
      manifests.map(({ apiVersion, kind }) => `${apiVersion.includes('/') ? apiVersion.split('/')[0] : ''} ${kind}`),
    ),
  ].sort()
const listed = (kinds: { group: string; kind: string }[]) => kinds.map(({ group, kind }) => `${group} ${kind}`).sort()
const settings = {
  repoUrl: 'https://git.example.com/fleet.git',
  branch: 'main',
  namespace: 'argocd',
  project: 'drover',
  rootApplication: 'drover-hub',
}

/** A machine and an image to which everything is done that can be: as many kinds as there are. */
const job = { image: 'tools:1', customization: { update: true } }
const changing = () =>
  linuxServer({
    rootDisk: { size: '40Gi', made: '30Gi' },
    snapshots: [{ name: 'web-01-clean', purpose: 'asked', run, disks: [], taken: '2030-01-01T00:00:00Z' }],
    patch: { ...job, name: 'web-01-patch', volumeMode: 'Filesystem', deadlineSeconds: 60 },
    restore: { name: 'web-01-restore', snapshot: 'web-01-clean' },
    migration: { name: 'web-01-migration' },
  })
const changingImage = () =>
  golden({
    secrets: [{ name: 'golden', store: 'platform', data: { password: { key: 'golden' } } }],
    follow: { schedule: '0 0 * * 0', repository: 'registry.example.com/golden/rhel9', tag: '9' },
    work: { build: build({ name: 'rhel9-2' }), deadlineSeconds: 60, customize: job },
  })

const rendered = () => [
  ...[linuxServer(), windowsServer(), databaseServer(), changing()].flatMap(render),
  ...renderImage(changingImage()),
]

describe('the project of machines', () => {
  const { spec } = find(objects, 'AppProject', 'drover')

  it('lets Argo CD apply the kinds that Drover renders, and no others', () => {
    expect(listed(spec.namespaceResourceWhitelist)).toEqual(kindsOf(rendered()))
    expect(listed(spec.clusterResourceWhitelist)).toEqual(kindsOf([namespaceManifest('shop')]))
  })

  it('is kept away from the namespaces that run a cluster', () => {
    const destinations = spec.destinations
    expect(destinations.every(({ server, namespace }) => server === '*' && namespace.startsWith('!'))).toBe(true)
    const names = destinations.map(({ namespace }) => namespace.slice(1))
    expect(names).toEqual(expect.arrayContaining(['argocd', 'drover', 'kube-*', 'openshift*', 'kubevirt', 'cdi']))
  })
})

describe('the project of the hub', () => {
  const { spec } = find(objects, 'AppProject', 'drover-hub')

  it('lets Argo CD apply what Drover writes to hub/, and no others', () => {
    const placement = toPlacement('web-0123', { clusterSets: ['global'] }, 'argocd')
    const applications = [
      machineApplication({ cluster: 'site-a', namespace: 'shop', name: 'web' }, settings),
      namespaceApplication('site-a', 'shop', settings),
    ]
    expect(listed(spec.namespaceResourceWhitelist)).toEqual(kindsOf([placement, ...applications]))
    expect(spec.clusterResourceWhitelist).toEqual([])
    expect(spec.destinations).toEqual([{ server: 'https://kubernetes.default.svc', namespace: 'argocd' }])
  })
})

describe('Argo CD’s controller', () => {
  it.each([
    ['broker/argocd', 'argocd', 'argocd-application-controller'],
    ['test/broker-yaml/argocd-on-openshift', 'openshift-gitops', 'openshift-gitops-argocd-application-controller'],
  ])('may write the Placements of hub/, in %s', (folder, namespace, account) => {
    const made = kustomize(folder)
    const role = find(made, 'Role', 'drover-placements')
    const binding = find(made, 'RoleBinding', 'drover-placements')
    expect(role.rules).toMatchObject([
      { apiGroups: ['cluster.open-cluster-management.io'], resources: ['placements'], verbs: expect.any(Array) },
    ])
    expect(role.rules[0]?.verbs).toEqual(expect.arrayContaining(['create', 'update', 'patch', 'delete']))
    expect(binding).toMatchObject({
      roleRef: { kind: 'Role', name: 'drover-placements' },
      subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
    })
    expect([role, binding].map(({ metadata }) => metadata.namespace)).toEqual([namespace, namespace])
  })
})

describe('OpenShift GitOps', () => {
  it('has all that is Argo CD’s in its own namespace', () => {
    const made = kustomize('test/broker-yaml/argocd-on-openshift')
    const namespaces = made.flatMap(({ metadata }) => metadata.namespace ?? [])
    expect(new Set(namespaces)).toEqual(new Set(['openshift-gitops']))
    expect(JSON.stringify(made)).not.toContain('"namespace":"argocd"')
  })

  it('has the alarm that is made of what it says itself, for Prometheus keeps a rule to its own namespace there', () => {
    const made = kustomize('test/broker-yaml/monitored-on-openshift').filter(({ kind }) => kind === 'PrometheusRule')
    expect(made.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).sort()).toEqual([
      'drover/drover',
      'openshift-gitops/drover-hub',
    ])
  })
})

describe('the root Application', () => {
  it('is the one that the stand-in has, in a project of its own', () => {
    const [standIn] = rootApplication(true, [{ url: settings.repoUrl, path: '/nowhere' }])
    const { metadata, spec } = find(objects, 'Application', 'drover-hub')
    expect(spec).toEqual({ ...(standIn?.['spec'] as object), project: 'drover-hub' })
    expect(metadata).not.toHaveProperty('finalizers')
  })

  it('takes a mended manifest at once, as machines’ Applications do', () => {
    const machine = machineApplication({ cluster: 'site-a', namespace: 'shop', name: 'web' }, settings)
    expect(machine.spec).toMatchObject({ syncPolicy: { retry: { refresh: true } } })
    expect(find(objects, 'Application', 'drover-hub').spec.syncPolicy.retry.refresh).toBe(true)
  })

  it('brings no Application of another project', () => {
    const policy = find(objects, 'ValidatingAdmissionPolicy', 'drover-machines-only').spec
    expect(policy.matchConditions[0].expression).toContain("startsWith('drover-hub:')")
    expect(policy.validations[0].expression).toBe("object.spec.project == 'drover'")
  })
})

describe('Argo CD’s settings', () => {
  it('are patches: an object would take away what else is set', () => {
    expect(objects.map(({ kind }) => kind)).not.toContain('ConfigMap')
    expect(Object.keys(parse(readFileSync(join(root, 'broker/argocd/health.yaml'), 'utf8')))).toEqual(['data'])
  })

  it('leave out nothing that Drover renders', () => {
    const excluded = parse(readFileSync(join(root, 'broker/argocd/exclusions.yaml'), 'utf8')) as {
      apiGroups: string[]
      kinds: string[]
    }[]
    const names = excluded.flatMap(({ apiGroups, kinds }) =>
      apiGroups.flatMap((group) => kinds.map((kind) => `${group} ${kind}`)),
    )
    expect(names).toContain('kubevirt.io VirtualMachineInstance')
    expect(names.filter((name) => kindsOf(rendered()).includes(name))).toEqual([])
  })
})

describe('the example of an administrator’s own Argo CD', () => {
  it('says the fleet repository wherever it is named', () => {
    const own = kustomize('examples/install/argocd')
    const named = own.flatMap(({ kind, spec }) =>
      kind === 'AppProject' ? spec.sourceRepos : kind === 'Application' ? [spec.source.repoURL] : [],
    )
    expect(named).toEqual([
      'https://git.example.com/fleet.git',
      'https://git.example.com/fleet.git',
      'https://git.example.com/fleet.git',
    ])
  })
})
