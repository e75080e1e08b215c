import { describe, expect, it } from 'vitest'
import type { Manifest } from '../../../shared/kubevirt/manifest.ts'
import { render } from '../../../shared/kubevirt/render.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import { databaseServer, linuxServer, windowsServer } from './definitions.ts'

const find = (manifests: Manifest[], kind: string, name?: string): Manifest => {
  const found = manifests.find((one) => one.kind === kind && (name === undefined || one.metadata.name === name))
  if (!found) throw new Error(`no ${kind} ${name ?? ''}`)
  return found
}
const names = (manifests: Manifest[]) => manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`)

/** As much of a VirtualMachine as is looked into below. */
interface Spec {
  instancetype?: unknown
  preference?: unknown
  runStrategy: string
  template: {
    spec: {
      architecture: string
      domain: { machine: unknown; firmware: unknown; devices: { disks: unknown[]; interfaces: unknown[] } }
      networks: unknown[]
      volumes: unknown[]
      terminationGracePeriodSeconds?: number
    }
  }
}
const specOf = (definition: Definition) => find(render(definition), 'VirtualMachine').spec as Spec

describe('render', () => {
  it('makes the objects of a Linux server', () => {
    expect(names(render(linuxServer()))).toEqual([
      'Role/web-01-owner',
      'RoleBinding/web-01-owner',
      'DataVolume/web-01-root-71f75f7d',
      'Secret/web-01-cloudinit',
      'VirtualMachine/web-01',
      'DNSEndpoint/web-01',
    ])
  })

  it('makes the same objects of the same definition', () => {
    expect(render(databaseServer())).toEqual(render(databaseServer()))
  })

  it('labels every object with its machine, and what the definition says cannot change that', () => {
    const labels = { 'drover.dev/machine': 'other', tier: 'web' }
    for (const { metadata } of render(databaseServer({ labels }))) {
      expect(metadata.labels).toMatchObject({
        'app.kubernetes.io/managed-by': 'drover',
        'drover.dev/machine': 'db-01',
        tier: 'web',
      })
      expect(metadata.namespace).toBe('shop')
    }
  })

  it('keeps data disks out of the reach of every sync and owner', () => {
    const disks = render(databaseServer()).filter(({ metadata }) => metadata.labels?.['drover.dev/disk'] === 'data')
    expect(disks.map(({ metadata }) => metadata.name)).toEqual(['db-01-data-data-4f3104', 'db-01-data-wal-4f3104'])
    for (const { metadata, spec } of disks) {
      expect(metadata.annotations).toMatchObject({
        'argocd.argoproj.io/sync-options': 'Prune=false,Delete=false',
        'argocd.argoproj.io/compare-options': 'IgnoreExtraneous',
      })
      expect(metadata).not.toHaveProperty('ownerReferences')
      expect(spec).toMatchObject({ source: { blank: {} } })
    }
    expect(disks[0]?.spec).toMatchObject({
      storage: { storageClassName: 'fast', resources: { requests: { storage: '200Gi' } } },
    })
    expect(disks[1]?.spec).not.toHaveProperty('storage.storageClassName')
  })

  it('lets the root disk go with its machine, and names it after its image', () => {
    const registry = `docker://registry.example.com/rhel9@sha256:${'0'.repeat(64)}`
    const fromRegistry = find(render(linuxServer({ image: { registry } })), 'DataVolume')
    expect(fromRegistry.spec).toMatchObject({ source: { registry: { url: registry } } })
    expect(fromRegistry.metadata.name).toMatch(/^web-01-root-[0-9a-f]{8}$/)
    const fromSource = find(render(linuxServer()), 'DataVolume')
    expect(fromSource.spec).toMatchObject({
      sourceRef: { kind: 'DataSource', name: 'rhel9', namespace: 'openshift-virtualization-os-images' },
    })
    expect(fromSource.metadata.name).not.toBe(fromRegistry.metadata.name)
    expect(fromSource.metadata.annotations).not.toHaveProperty('argocd.argoproj.io/sync-options')
  })

  it('mounts every disk by its claim, never by a template of the machine', () => {
    const spec = specOf(databaseServer())
    expect(spec).not.toHaveProperty('dataVolumeTemplates')
    const { domain, volumes } = spec.template.spec
    expect(volumes).toEqual([
      { name: 'rootdisk', persistentVolumeClaim: { claimName: 'db-01-root-71f75f7d' } },
      { name: 'data-data', persistentVolumeClaim: { claimName: 'db-01-data-data-4f3104' } },
      { name: 'data-wal', persistentVolumeClaim: { claimName: 'db-01-data-wal-4f3104' } },
      {
        name: 'cloudinit',
        cloudInitNoCloud: {
          secretRef: { name: 'db-01-cloudinit' },
          networkDataSecretRef: { name: 'db-01-cloudinit' },
        },
      },
    ])
    expect(domain.devices.disks).toEqual([
      { name: 'rootdisk', disk: { bus: 'virtio' }, bootOrder: 1 },
      { name: 'data-data', disk: { bus: 'virtio' }, serial: 'data' },
      { name: 'data-wal', disk: { bus: 'virtio' }, serial: 'wal' },
      { name: 'cloudinit', disk: { bus: 'virtio' } },
    ])
  })

  it('writes what KubeVirt would otherwise make up', () => {
    const { domain, architecture, networks } = specOf(linuxServer()).template.spec
    expect(architecture).toBe('amd64')
    expect(domain.machine).toEqual({ type: 'q35' })
    expect(domain.firmware).toEqual(linuxServer().identity)
    expect(domain.devices.interfaces).toEqual([
      { name: 'nic0', bridge: {}, macAddress: '02:00:00:00:00:01', model: 'virtio' },
    ])
    expect(networks).toEqual([{ name: 'nic0', multus: { networkName: 'default/servers-vlan120' } }])
  })

  it('says CPU and memory only where no instance type does', () => {
    const named = specOf(linuxServer())
    expect(named.instancetype).toEqual({ kind: 'VirtualMachineClusterInstancetype', name: 'u1.small' })
    expect(named.preference).toEqual({ kind: 'VirtualMachineClusterPreference', name: 'rhel.9' })
    expect(named.template.spec.domain).not.toHaveProperty('cpu')
    expect(named.template.spec.domain).not.toHaveProperty('memory')
    expect(named.template.spec).not.toHaveProperty('terminationGracePeriodSeconds')
    const plain = specOf(linuxServer({ size: { cores: 4, memory: '8Gi' } }))
    expect(plain).not.toHaveProperty('instancetype')
    expect(plain).not.toHaveProperty('preference')
    expect(plain.template.spec.domain).toMatchObject({
      cpu: { cores: 4, sockets: 1, threads: 1 },
      memory: { guest: '8Gi' },
    })
    expect(plain.template.spec.terminationGracePeriodSeconds).toBe(180)
  })

  it('writes memory as Kubernetes writes it back, whatever unit was asked for', () => {
    const { domain } = specOf(linuxServer({ size: { cores: 4, memory: '4096Mi' } })).template.spec
    expect(domain).toMatchObject({ memory: { guest: '4Gi' } })
  })

  it('takes the revisions away that a restore has named', () => {
    const { instancetype, preference } = specOf(linuxServer({ pinned: true }))
    expect([instancetype, preference]).toEqual([
      { kind: 'VirtualMachineClusterInstancetype', name: 'u1.small', revisionName: '' },
      { kind: 'VirtualMachineClusterPreference', name: 'rhel.9', revisionName: '' },
    ])
  })

  it.each<[boolean, string]>([
    [true, 'Always'],
    [false, 'Halted'],
  ])('writes running: %s as runStrategy %s', (running, runStrategy) => {
    expect(specOf(linuxServer({ running })).runStrategy).toBe(runStrategy)
  })

  it('says which operation wrote the machine', () => {
    expect(find(render(linuxServer()), 'VirtualMachine').metadata.annotations).toEqual({
      'drover.dev/operation': '97c006aef331b143d12f.create',
      'drover.dev/owner': 'Group/team-shop',
      'drover.dev/requester': 'ann@example.com',
    })
  })

  it('gives a Windows server its answer file by sysprep', () => {
    const manifests = render(windowsServer())
    expect(find(manifests, 'ExternalSecret', 'win-01-sysprep').spec).toMatchObject({
      target: { template: { data: { 'unattend.xml': '<unattend>{{ .password | html }}</unattend>' } } },
    })
    const { domain, volumes } = specOf(windowsServer()).template.spec
    expect(volumes).toContainEqual({ name: 'sysprep', sysprep: { secret: { name: 'win-01-sysprep' } } })
    expect(domain.devices.disks).toContainEqual({ name: 'sysprep', cdrom: { bus: 'sata' } })
    expect(volumes).toContainEqual({
      name: 'cloudinit',
      cloudInitNoCloud: { networkDataSecretRef: { name: 'win-01-cloudinit' } },
    })
  })

  it('publishes names only where there are some', () => {
    expect(find(render(linuxServer()), 'DNSEndpoint').spec).toEqual({ endpoints: linuxServer().dns })
    expect(names(render(linuxServer({ dns: [] })))).not.toContain('DNSEndpoint/web-01')
  })
})
