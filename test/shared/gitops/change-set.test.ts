import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { GitOpsSettings } from '../../../shared/gitops/application.ts'
import { toChangeSet } from '../../../shared/gitops/change-set.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import { memoryFleet } from '../../fleet.ts'
import { databaseServer, linuxServer } from '../kubevirt/definitions.ts'

const settings: GitOpsSettings = {
  repoUrl: 'https://git.example.com/fleet.git',
  branch: 'main',
  namespace: 'argocd',
  project: 'default',
  rootApplication: 'drover-hub',
}

const changesOf = async (definition: Definition, files: Record<string, string> = {}) =>
  toChangeSet(definition, await memoryFleet(files).head(), settings)
const parsed = async (definition: Definition, path: string) =>
  parse((await changesOf(definition)).find((change) => change.path === path)?.content ?? '')

describe('toChangeSet', () => {
  it('has the definition, one file for each object, the Application and the namespace', async () => {
    expect((await changesOf(databaseServer())).map(({ path }) => path)).toEqual([
      'vms/site-a/shop/db-01/values.yaml',
      'vms/site-a/shop/db-01/manifests/role-db-01-owner.yaml',
      'vms/site-a/shop/db-01/manifests/rolebinding-db-01-owner.yaml',
      'vms/site-a/shop/db-01/manifests/datavolume-db-01-root-71f75f7d.yaml',
      'vms/site-a/shop/db-01/manifests/datavolume-db-01-data-data-4f3104.yaml',
      'vms/site-a/shop/db-01/manifests/datavolume-db-01-data-wal-4f3104.yaml',
      'vms/site-a/shop/db-01/manifests/secret-db-01-cloudinit.yaml',
      'vms/site-a/shop/db-01/manifests/virtualmachine-db-01.yaml',
      'vms/site-a/shop/db-01/manifests/dnsendpoint-db-01.yaml',
      'hub/applications/site-a/shop/db-01.yaml',
      'namespaces/site-a/shop/namespace.yaml',
      'hub/applications/site-a/shop.yaml',
    ])
  })

  it('writes the definition so that it is read back as it was', async () => {
    expect(await parsed(databaseServer(), 'vms/site-a/shop/db-01/values.yaml')).toEqual(databaseServer())
  })

  it('leaves the files of a namespace alone that are there', async () => {
    const there = { 'namespaces/site-a/shop/namespace.yaml': 'a\n', 'hub/applications/site-a/shop.yaml': 'b\n' }
    const paths = (await changesOf(linuxServer(), there)).map(({ path }) => path)
    for (const path of Object.keys(there)) expect(paths).not.toContain(path)
  })

  it('removes manifests that the definition no longer renders to', async () => {
    const stale = 'vms/site-a/shop/web-01/manifests/datavolume-web-01-root-00000000.yaml'
    expect(await changesOf(linuxServer(), { [stale]: 'x\n' })).toContainEqual({ path: stale, content: null })
  })

  it('lets Argo CD apply the machine to its cluster, mend it, and try a mended manifest at once', async () => {
    expect(await parsed(linuxServer(), 'hub/applications/site-a/shop/web-01.yaml')).toEqual({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: {
        name: 'web-01',
        namespace: 'argocd',
        labels: {
          'app.kubernetes.io/managed-by': 'drover',
          'drover.dev/cluster': 'site-a',
          'drover.dev/machine': 'web-01',
        },
        finalizers: ['resources-finalizer.argocd.argoproj.io'],
      },
      spec: {
        project: 'default',
        source: {
          repoURL: 'https://git.example.com/fleet.git',
          targetRevision: 'main',
          path: 'vms/site-a/shop/web-01/manifests',
        },
        destination: { name: 'site-a', namespace: 'shop' },
        ignoreDifferences: [
          {
            group: 'kubevirt.io',
            kind: 'VirtualMachine',
            jsonPointers: ['/spec/instancetype/revisionName', '/spec/preference/revisionName'],
          },
          {
            group: 'external-secrets.io',
            kind: 'ExternalSecret',
            jqPathExpressions: [
              '.spec.data[]?.remoteRef.conversionStrategy',
              '.spec.data[]?.remoteRef.decodingStrategy',
              '.spec.data[]?.remoteRef.metadataPolicy',
              '.spec.data[]?.remoteRef.nullBytePolicy',
            ],
          },
        ],
        syncPolicy: {
          automated: { prune: true, selfHeal: true, allowEmpty: true },
          syncOptions: ['CreateNamespace=true', 'ServerSideApply=true', 'ApplyOutOfSyncOnly=true'],
          retry: { limit: 10, backoff: { duration: '5s', factor: 2, maxDuration: '1m' }, refresh: true },
        },
      },
    })
  })

  it('gives the Namespace to one Application, and protects it, for a disk may live in it', async () => {
    const application = await parsed(linuxServer(), 'hub/applications/site-a/shop.yaml')
    expect(application.metadata.name).toBe('site-a.shop')
    expect(application.spec.source.path).toBe('namespaces/site-a/shop')
    const namespace = await parsed(linuxServer(), 'namespaces/site-a/shop/namespace.yaml')
    expect(namespace.metadata).toMatchObject({
      name: 'shop',
      annotations: { 'argocd.argoproj.io/sync-options': 'Prune=false,Delete=false' },
    })
    expect(
      (await changesOf(linuxServer())).filter(({ content }) => content?.includes('kind: "Namespace"')),
    ).toHaveLength(1)
  })

  it('labels an Application with as much of its cluster as a label takes', async () => {
    const cluster = `${'a'.repeat(62)}.${'b'.repeat(20)}`
    const application = await parsed(linuxServer({ cluster }), `hub/applications/${cluster}/shop/web-01.yaml`)
    expect(application.metadata.labels['drover.dev/cluster']).toBe('a'.repeat(62))
    expect(application.spec.destination.name).toBe(cluster)
  })
})
