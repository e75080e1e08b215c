import type { Definition } from '../../../shared/schema/definition.ts'
import { dualStack } from '../cloudinit/guests.ts'

const run = '97c006aef331b143d12f'

/** A small Linux server with nothing secret about it. */
export const linuxServer = (changes: Partial<Definition> = {}): Definition => ({
  name: 'web-01',
  namespace: 'shop',
  cluster: 'site-a',
  owner: { kind: 'Group', name: 'team-shop' },
  requester: 'ann@example.com',
  template: 'linux-small',
  operation: `${run}.create`,
  labels: { tier: 'web' },
  running: true,
  guest: 'linux',
  guestAgent: true,
  image: { dataSource: 'rhel9', namespace: 'openshift-virtualization-os-images' },
  size: { instancetype: 'u1.small', preference: 'rhel.9' },
  rootDisk: { size: '30Gi' },
  disks: [],
  identity: { uuid: '4f310451-b6c3-53ef-bf00-134e7dedff44', serial: 'fac03494-2243-5dc6-b82e-dd01dc863359' },
  interfaces: [dualStack()],
  dns: [{ dnsName: 'web-01.servers.example.com', recordType: 'A', targets: ['10.20.0.17'], recordTTL: 300 }],
  customizations: [],
  guestConfiguration: { userData: '#cloud-config\n{}\n', networkData: 'version: 2\n', secrets: {} },
  placement: { clusterSets: ['global'] },
  ...changes,
})

/** A server with two data disks, one of them on a storage class of its own. */
export const databaseServer = (changes: Partial<Definition> = {}): Definition =>
  linuxServer({
    name: 'db-01',
    disks: [
      { name: 'data', size: '200Gi', storageClass: 'fast' },
      { name: 'wal', size: '50Gi' },
    ],
    ...changes,
  })

/** A root disk that a machine keeps until a moment. */
export const oldRoot = (name: string, until: string) => ({
  name,
  image: { dataSource: 'rhel8', namespace: 'golden' },
  size: '30Gi',
  until,
})

/** What a run patches the root disk by. */
export const rootPatch = () => ({
  name: 'db-01-patch-01234567',
  image: 'tools:1',
  volumeMode: 'Filesystem' as const,
  customization: { update: true },
  deadlineSeconds: 3600,
})

/** A snapshot that somebody asked for, kept until a moment or for ever. */
export const askedSnapshot = (name: string, until?: string) => ({
  ...{ name, purpose: 'asked' as const, run: 'r', disks: [], taken: '2030-01-01T00:00:00.000Z' },
  ...(until && { until }),
})

/** A Windows server whose answer file needs a secret. */
export const windowsServer = (): Definition =>
  linuxServer({
    name: 'win-01',
    guest: 'windows',
    guestConfiguration: {
      networkData: 'version: 2\n',
      unattend: '<unattend>{{ .password | html }}</unattend>',
      secrets: { password: { store: 'platform', storeKind: 'ClusterSecretStore', key: 'drover/windows' } },
    },
  })
