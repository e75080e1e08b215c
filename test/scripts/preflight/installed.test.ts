import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { applied, argocd } from '../../../scripts/preflight/argocd.ts'
import { broker } from '../../../scripts/preflight/broker.ts'
import { functions } from '../../../scripts/preflight/functions.ts'
import { neededOfReader, neededOnHub, type Right } from '../../../scripts/preflight/rights.ts'
import { kustomize } from '../../broker-yaml/kustomize.ts'
import type { Manifest } from '../../broker-yaml/manifest.ts'
import { at, type Cluster, encoded, hub, linesOf, list } from './cluster.ts'

/** Preflight knows what `broker/` installs: neither may change without the other. */

const ready = { status: { conditions: [{ type: 'Ready', status: 'True' }] } }

/** A hub on which this folder was applied, with these Secrets. */
function installed(folder: string, secrets: Record<string, string[]>): Cluster {
  const objects = [...kustomize(folder), ...kustomize('triggers')]
  const of = (kind: string) =>
    objects.filter((object) => object.kind === kind).map((object) => ({ ...object, ...ready }))
  const [config] = of('ConfigMap').filter(({ metadata }) => metadata.name === 'drover-config')
  const url = config?.data['DROVER_BROKER_URL']
  const data = Object.entries(secrets).map(([name, keys]) => [
    `/api/v1/namespaces/drover/secrets/${name}`,
    { data: Object.fromEntries(keys.map((key) => [key, encoded('hunter2')])) },
  ])
  return {
    ...hub(),
    [at.gitSecret]: undefined,
    [at.gitReadSecret]: undefined,
    [at.keysSecret]: undefined,
    ...Object.fromEntries(data),
    [at.settings]: { data: { DROVER_GIT_URL: 'https://git.example.com/fleet.git', ...config?.data } },
    [at.services]: list(...of('Service')),
    [at.triggers]: list(...of('Trigger')),
    [at.broker]: { ...of('Broker')[0], status: { ...ready.status, address: { url } } },
  }
}

const usual = {
  'drover-signing-keys': ['keys'],
  'drover-git': ['token'],
  'drover-git-read': ['token'],
  'drover-clusters': ['kubeconfig'],
}
const notOk = (lines: string[]) => lines.filter((line) => !line.startsWith('ok: '))

describe('where broker/ is installed, preflight', () => {
  it.each<[string, Record<string, string[]>]>([
    ['broker', usual],
    ['examples/install/hub', usual],
    ['test/broker-yaml/with-cmdb', { ...usual, 'drover-cmdb': ['config', 'token'] }],
    // The token for the Broker comes from Kubernetes itself, not from a Secret.
    ['test/broker-yaml/with-oidc', usual],
  ])('finds nothing lacking with %s and the Secrets that it mounts', async (folder, secrets) => {
    const cluster = installed(folder, secrets)
    expect(notOk([...(await linesOf(functions, cluster)), ...(await linesOf(broker, cluster))])).toEqual([])
  })

  it.each<[string, string, Record<string, string[]>]>([
    ['lacks: There is no Secret drover-cmdb of namespace drover', 'test/broker-yaml/with-cmdb', usual],
    ['lacks: Secret drover-git of namespace drover lacks token', 'broker', { ...usual, 'drover-git': ['password'] }],
    ['lacks: There is no Secret drover-signing-keys', 'broker', { 'drover-git': ['token'] }],
  ])('says "%s"', async (sentence, folder, secrets) => {
    expect(await linesOf(functions, installed(folder, secrets))).toContainEqual(expect.stringContaining(sentence))
  })

  it('asks for each right that is granted there, and for no other', () => {
    const granted = rightsIn(kustomize('broker'))
    const needed = Object.entries(neededOnHub('argocd')).flatMap(([name, rights]) =>
      rights.map((one) => worded(name, one)),
    )
    expect(needed.sort()).toEqual(granted.sort())
    const reader = rightsIn(kustomize('broker/managed-cluster'))
    expect(neededOfReader.map((one) => worded('drover-reader', one)).sort()).toEqual(reader.sort())
  })

  it('looks at each kind that the projects let Argo CD apply, and at no other', () => {
    const projects = kustomize('broker/argocd').filter(({ kind }) => kind === 'AppProject')
    const allowed = projects.flatMap(({ spec }) => [
      ...(spec.clusterResourceWhitelist ?? []),
      ...(spec.namespaceResourceWhitelist ?? []),
    ])
    const words = (group: string, kind: string) => `${kind}.${group}`
    expect(applied.map(([group, kind]) => words(group, kind)).sort()).toEqual(
      allowed.map(({ group, kind }) => words(group, kind)).sort(),
    )
  })

  it('takes the health check that is installed for the one that is wanted', async () => {
    const file = new URL('../../../broker/argocd/health.yaml', import.meta.url)
    const { data } = parse(readFileSync(file, 'utf8')) as { data: Record<string, string> }
    const lines = await linesOf(argocd, { ...hub(), [at.argocdSettings]: { data } })
    expect(lines).toContain('ok: Argo CD v3.5.3 has a health check of ours for VirtualMachines')
  })
})

const worded = (name: string, { verb, group, resource, namespace = '*' }: Right) =>
  `${name} ${verb} ${resource}.${group} in ${namespace}`

/** The rights that roles grant to ServiceAccounts, in the words of above. */
function rightsIn(objects: Manifest[]): string[] {
  return objects
    .filter(({ kind }) => kind === 'RoleBinding' || kind === 'ClusterRoleBinding')
    .flatMap(({ metadata, roleRef, subjects }) => {
      const role = objects.find(({ kind, metadata: { name } }) => kind === roleRef.kind && name === roleRef.name)
      return subjects.flatMap(({ name }) =>
        (role?.rules ?? []).flatMap(({ apiGroups, resources, verbs }) =>
          apiGroups.flatMap((group) =>
            resources.flatMap((resource) =>
              verbs.map((verb) => worded(name, { verb, group, resource, namespace: metadata.namespace ?? '*' })),
            ),
          ),
        ),
      )
    })
}
