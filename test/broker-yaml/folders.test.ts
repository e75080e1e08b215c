import { globSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { kustomizationOf, kustomize } from './kustomize.ts'

const root = new URL('../..', import.meta.url).pathname
const applied = [
  'broker',
  'test/broker-yaml/on-kafka',
  'test/broker-yaml/with-oidc',
  'test/broker-yaml/on-kafka-with-oidc',
  'broker/managed-cluster',
  'broker/argocd',
  'triggers',
  'examples/install/hub',
  'examples/install/argocd',
]
const folders = globSync('{broker,triggers,examples/install}/**/kustomization.yaml', { cwd: root }).map(dirname)
const everything = applied.flatMap(kustomize)

/** Patches of Argo CD's own settings, which are applied by hand. */
const byHand = ['health.yaml', 'exclusions.yaml']

describe('a folder to apply', () => {
  it.each(folders)('%s names every file that is in it', (folder) => {
    const { resources = [], patches = [], components } = kustomizationOf(join(root, folder))
    const named = [...resources, ...(components ?? []), ...patches.map(({ path }) => path ?? '')]
    const there = readdirSync(join(root, folder)).filter(
      (name) => name.endsWith('.yaml') && name !== 'kustomization.yaml' && !byHand.includes(name),
    )
    expect(named).toEqual(expect.arrayContaining(there))
  })

  it.each(applied)('%s has each object once, all of them Drover’s', (folder) => {
    const objects = kustomize(folder)
    const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`)
    expect(names).toEqual([...new Set(names)])
    expect(names).not.toEqual([])
    for (const { metadata } of objects) expect(metadata.labels).toHaveProperty(['app.kubernetes.io/part-of'], 'drover')
  })

  it('is namespaced where its kind is', () => {
    const clusterWide = everything.filter(({ metadata }) => metadata.namespace === undefined)
    expect([...new Set(clusterWide.map(({ kind }) => kind))].sort()).toEqual([
      'ClusterRole',
      'ClusterRoleBinding',
      'Namespace',
      'ValidatingAdmissionPolicy',
      'ValidatingAdmissionPolicyBinding',
    ])
  })

  it('holds no secret', () => {
    expect(everything.map(({ kind }) => kind)).not.toContain('Secret')
    for (const folder of folders)
      for (const name of readdirSync(join(root, folder)).filter((file) => file.endsWith('.yaml')))
        expect(readFileSync(join(root, folder, name), 'utf8')).not.toMatch(
          /PRIVATE KEY|BEGIN CERTIFICATE|password|eyJhbGci|stringData|gh[ps]_/i,
        )
  })

  it('lets nobody do everything', () => {
    const rules = everything.flatMap((object) => object.rules ?? [])
    expect(rules.length).toBeGreaterThan(0)
    expect(JSON.stringify(rules)).not.toContain('*')
  })
})

describe('each Namespace', () => {
  it('takes only Pods that are restricted', () => {
    const namespaces = everything.filter(({ kind }) => kind === 'Namespace')
    expect(new Set(namespaces.map(({ metadata }) => metadata.name))).toEqual(new Set(['drover', 'drover-reader']))
    for (const { metadata } of namespaces)
      expect(metadata.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' })
  })
})
