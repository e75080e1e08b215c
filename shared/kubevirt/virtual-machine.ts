import { canonical } from '../quantity.ts'
import type { Definition } from '../schema/definition.ts'
import {
  claimOf,
  cloudInitName,
  labelsOf,
  type Manifest,
  metadataOf,
  operationAnnotation,
  rootDiskName,
  rootVolume,
  sysprepName,
  volumeOf,
} from './manifest.ts'

/**
 * The VirtualMachine. What KubeVirt would make up at its creation (firmware, machine type, architecture, MAC) is
 * written here, so that Git and cluster agree and a machine made anew is the same one to its guest.
 */
export function virtualMachine(definition: Definition): Manifest {
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: {
      ...metadataOf(definition, definition.name),
      annotations: {
        [operationAnnotation]: definition.operation,
        'drover.dev/owner': `${definition.owner.kind}/${definition.owner.name}`,
        'drover.dev/requester': definition.requester,
      },
    },
    spec: {
      runStrategy: definition.running ? 'Always' : 'Halted',
      ...named(definition),
      template: { metadata: { labels: labelsOf(definition) }, spec: instance(definition) },
    },
  }
}

/**
 * Kinds are explicit, and no revision is named: the cluster keeps it. A restore in place names one in the spec, and with it
 * KubeVirt refuses another instance type; an empty name takes it away. KubeVirt stores none, so Argo CD must not compare it. Before
 * a restore nothing is said of it: an older KubeVirt keeps it in the spec, and would take the type as it is now.
 * https://github.com/kubevirt/kubevirt/blob/v1.8.0/pkg/instancetype/webhooks/vm/mutator.go
 */
function named({ size, pinned }: Definition) {
  const revision = pinned && { revisionName: '' }
  return {
    ...('instancetype' in size && {
      instancetype: { kind: 'VirtualMachineClusterInstancetype', name: size.instancetype, ...revision },
    }),
    ...(size.preference !== undefined && {
      preference: { kind: 'VirtualMachineClusterPreference', name: size.preference, ...revision },
    }),
  }
}

function instance(definition: Definition) {
  const { size, identity, interfaces } = definition
  return {
    architecture: 'amd64',
    domain: {
      // With an instance type KubeVirt refuses a machine that says its own CPU or memory.
      ...('cores' in size && {
        cpu: { cores: size.cores, sockets: 1, threads: 1 },
        memory: { guest: canonical(size.memory) },
      }),
      // The alias is known to every KubeVirt; versioned types such as pc-q35-rhel9.6.0 only to some.
      machine: { type: 'q35' },
      firmware: { uuid: identity.uuid, serial: identity.serial },
      devices: {
        disks: volumes(definition).map(({ name, device }) => ({ name, ...device })),
        interfaces: interfaces.map(({ name, mac }) => ({ name, bridge: {}, macAddress: mac, model: 'virtio' })),
      },
    },
    // A disk that only one node can hold cannot be moved; LiveMigrate would then block every node drain.
    evictionStrategy: 'LiveMigrateIfPossible',
    // A preference has its own; what is written here would win over it.
    ...(size.preference === undefined && { terminationGracePeriodSeconds: 180 }),
    networks: interfaces.map(({ name, attachment }) => ({
      name,
      multus: { networkName: `${attachment.namespace}/${attachment.name}` },
    })),
    volumes: volumes(definition).map(({ name, source }) => ({ name, ...source })),
  }
}

interface Volume {
  name: string
  device: object
  source: object
}

const virtio = { disk: { bus: 'virtio' } }
const claim = (claimName: string) => ({ persistentVolumeClaim: { claimName } })

function volumes(definition: Definition): Volume[] {
  const { name, disks, guestConfiguration } = definition
  const { userData, networkData, unattend } = guestConfiguration
  const secretRef = { name: cloudInitName(name) }
  return [
    { name: rootVolume, device: { ...virtio, bootOrder: 1 }, source: claim(rootDiskName(definition)) },
    ...disks.map((disk) => ({
      name: volumeOf(disk),
      // The guest finds it as /dev/disk/by-id/virtio-<name>, however the disks are ordered.
      device: { ...virtio, serial: disk.name },
      source: claim(claimOf(definition, disk)),
    })),
    ...(userData === undefined && networkData === undefined
      ? []
      : [
          {
            name: 'cloudinit',
            device: virtio,
            source: {
              cloudInitNoCloud: {
                ...(userData !== undefined && { secretRef }),
                ...(networkData !== undefined && { networkDataSecretRef: secretRef }),
              },
            },
          },
        ]),
    ...(unattend === undefined
      ? []
      : [
          {
            name: 'sysprep',
            device: { cdrom: { bus: 'sata' } },
            source: { sysprep: { secret: { name: sysprepName(name) } } },
          },
        ]),
  ]
}
