import { describe, expect, it } from 'vitest'
import { disks } from '../../../shared/kubevirt/disks.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import { databaseServer, oldRoot } from './definitions.ts'

const stays = {
  'argocd.argoproj.io/sync-options': 'Prune=false,Delete=false',
  'argocd.argoproj.io/compare-options': 'IgnoreExtraneous',
}
const lasts = { 'cdi.kubevirt.io/storage.deleteAfterCompletion': 'false' }
const rootName = 'db-01-root-71f75f7d'
const image = { dataSource: 'rhel9', namespace: 'openshift-virtualization-os-images' }
const own = (disk: 'root' | 'data') =>
  expect.objectContaining({ 'drover.dev/machine': 'db-01', 'drover.dev/disk': disk })

const made = (changes: Partial<Definition>) => disks(databaseServer({ disks: [], ...changes }))

describe('disks', () => {
  it('are volumes of their own, with a root disk cloned from its image', () => {
    expect(made({})).toEqual([
      {
        apiVersion: 'cdi.kubevirt.io/v1beta1',
        kind: 'DataVolume',
        metadata: { name: rootName, namespace: 'shop', labels: own('root'), annotations: lasts },
        spec: {
          sourceRef: { kind: 'DataSource', namespace: image.namespace, name: image.dataSource },
          storage: { resources: { requests: { storage: '30Gi' } } },
        },
      },
    ])
  })

  it('that have grown are asked for as they were made, beside a claim that is as large as it is now and stays', () => {
    const [volume, claim] = made({ rootDisk: { size: '60Gi', made: '30Gi' } })
    expect(volume).toMatchObject({ spec: { storage: { resources: { requests: { storage: '30Gi' } } } } })
    expect(claim).toEqual({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: rootName, namespace: 'shop', labels: own('root'), annotations: stays },
      spec: { resources: { requests: { storage: '60Gi' } } },
    })
  })

  it('are asked for in the unit that Kubernetes writes back', () => {
    const [root, claim, data] = made({
      rootDisk: { size: '2048Gi', made: '30720Mi' },
      disks: [{ name: 'data', size: '1024Gi' }],
    })
    const storage = (size: string) => ({ resources: { requests: { storage: size } } })
    expect(root?.spec).toMatchObject({ storage: storage('30Gi') })
    expect(claim?.spec).toEqual(storage('2Ti'))
    expect(data?.spec).toMatchObject({ storage: storage('1Ti') })
  })

  it('are made at once, before anybody uses them, only where that is said', () => {
    const [atOnce] = made({ rootDisk: { size: '30Gi', name: 'db-01-root-new', snapshot: 'vs-root', atOnce: true } })
    expect(atOnce).toMatchObject({
      metadata: {
        name: 'db-01-root-new',
        annotations: { ...lasts, 'cdi.kubevirt.io/storage.bind.immediate.requested': 'true' },
      },
      spec: { source: { snapshot: { namespace: 'shop', name: 'vs-root' } }, storage: {} },
    })
  })

  it('of a snapshot say no size: they have that of the snapshot', () => {
    const volumes = made({
      rootDisk: { size: '30Gi', snapshot: 'vs-root' },
      disks: [{ name: 'data', size: '5Gi', snapshot: 'vs-data', storageClass: 'fast' }],
    })
    expect(volumes.map(({ spec }) => spec)).toEqual([
      { source: { snapshot: { namespace: 'shop', name: 'vs-root' } }, storage: {} },
      { source: { snapshot: { namespace: 'shop', name: 'vs-data' } }, storage: { storageClassName: 'fast' } },
    ])
  })

  it('of data are blank, and stay whatever is synced; one that is to be destroyed does not', () => {
    const [, kept, gone] = made({
      disks: [
        { name: 'data', size: '200Gi' },
        { name: 'wal', size: '50Gi', destroyed: true },
      ],
    })
    expect(kept).toMatchObject({
      metadata: { name: 'db-01-data-data-4f3104', labels: own('data'), annotations: { ...lasts, ...stays } },
      spec: { source: { blank: {} } },
    })
    expect(gone?.metadata).toEqual({
      name: 'db-01-data-wal-4f3104',
      namespace: 'shop',
      labels: own('data'),
      annotations: lasts,
    })
  })

  it('are also the root disk that comes next, and those from before', () => {
    const spare = (name: string) => oldRoot(name, '2030-01-08T10:00:00.000Z')
    const all = made({ nextRoot: spare('db-01-root-next'), oldRoots: [spare('db-01-root-old')] })
    expect(all.map(({ metadata }) => metadata.name)).toEqual([rootName, 'db-01-root-next', 'db-01-root-old'])
  })
})
