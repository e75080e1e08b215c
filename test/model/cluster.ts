import type { GoldenImages } from '../../shared/golden-images.ts'
import type { Hub } from '../../shared/hub.ts'
import { dataClaims, rootDiskName } from '../../shared/kubevirt/manifest.ts'
import { virtualMachine } from '../../shared/kubevirt/virtual-machine.ts'
import type { MachineAddress, Machines, MachineView, Occupants, VirtualMachine } from '../../shared/machines.ts'
import { definitionFile } from '../../shared/paths.ts'
import type { Definition } from '../../shared/schema/definition.ts'
import { parseYaml } from '../../shared/yaml.ts'
import { nothing } from '../functions/machines.ts'
import { runningView, showing } from '../functions/verify/views.ts'
import type { Repository } from './repository.ts'

/** How a cluster follows Git, as one delivery finds it: at once, not yet, or never. */
export const moods = ['follows', 'has not followed yet', 'refuses'] as const
export type Mood = (typeof moods)[number]

export interface Cluster {
  machines: Machines
  hub: Hub
  occupants: Occupants
  goldenImages: GoldenImages
  /** True once somebody has looked at a machine: only then does the mood make a difference. */
  wasAsked(): boolean
}

/** A cluster that has what Git says, as far as its mood lets it; each look sees one moment. */
export function clusterOf(now: () => Repository, mood: Mood): Cluster {
  let asked = false
  const machines: Machines = {
    async *watch(address) {
      asked = true
      yield view(definitionAt(now(), address), mood)
    },
    claims: async (_, __, names) =>
      names.map((name) => ({ metadata: { name, uid: uidOf(name) }, status: { phase: 'Bound' } })),
    holders: async () => [],
    volumesOf: async () => volumes,
    sizeIn: async () => ({ instancetype: true, preference: true, claims: {} }),
    waitsForPod: async () => false,
    restoring: async () => 'in place',
    lastWords: async () => JSON.stringify({ before: 1, changes: 0, changed: [], truncated: false }),
    refresh: async () => undefined,
    async settle() {
      asked = true
      return mood === 'follows'
    },
  }
  return {
    machines,
    hub: {
      managedCluster: async () => ({ accepted: true }),
      watchPlacement: none,
      refresh: async () => undefined,
    },
    // Nobody but Drover makes a machine here.
    occupants: { of: async () => ({ application: undefined, machine: undefined }) },
    goldenImages: { watch: none, dataSource: async () => undefined, version: async () => 'pvc golden/rhel9' },
    wasAsked: () => asked,
  }
}

/** What is not asked for here. */
async function* none(): AsyncGenerator<never> {
  yield* []
}

/** What a snapshot of the machine has. */
export const volumes = { rootdisk: 'vs-root', 'data-data': 'vs-data' }

export const uidOf = (claim: string) => `uid-of-${claim}`

function definitionAt({ files }: Repository, { cluster, namespace, name }: MachineAddress): Definition | undefined {
  const path = definitionFile(cluster, namespace, name)
  const text = files.get(path)
  return text === undefined ? undefined : (parseYaml(text, path) as Definition)
}

function view(definition: Definition | undefined, mood: Mood): MachineView {
  if (mood === 'follows') return definition ? following(definition) : nothing
  const metadata = { name: 'db-01' }
  const sync = { status: 'OutOfSync' }
  if (mood === 'refuses')
    return {
      ...nothing,
      application: { metadata, status: { sync, operationState: { phase: 'Failed', message: 'it was refused' } } },
    }
  const busy = { printableStatus: 'Running', snapshotInProgress: 'nightly' }
  return { ...nothing, application: { metadata, status: { sync } }, machine: { metadata, status: busy } }
}

function following(definition: Definition): MachineView {
  const { running, snapshots = [], restore, patch, migration, nextRoot } = definition
  const shown = running ? runningView(definition) : showing(definition, 'Stopped')
  const disks = [rootDiskName(definition), ...dataClaims(definition), ...(nextRoot ? [nextRoot.name] : [])]
  const spec = virtualMachine(definition).spec as NonNullable<VirtualMachine['spec']>
  return {
    ...shown,
    ...(shown.machine && { machine: { ...shown.machine, spec } }),
    disks: disks.map((name) => ({ metadata: { name }, status: { phase: 'Succeeded' } })),
    ...(migration && shown.instance && { instance: moved(shown.instance) }),
    snapshots: snapshots.map(({ name }) => ({
      metadata: { name },
      status: { phase: 'Succeeded', readyToUse: true },
    })),
    restores: restore ? [{ metadata: { name: restore.name }, status: { complete: true } }] : [],
    jobs: patch
      ? [{ metadata: { name: patch.name }, status: { conditions: [{ type: 'Complete', status: 'True' }] } }]
      : [],
    migrations: migration
      ? [{ metadata: { name: migration.name, uid: migrationUid }, status: { phase: 'Succeeded' } }]
      : [],
  }
}

const migrationUid = 'uid-of-the-migration'

/** A guest that has gone to another node. */
const moved = (instance: NonNullable<MachineView['instance']>) => ({
  ...instance,
  status: {
    ...instance.status,
    nodeName: 'b',
    migrationState: { migrationUid, sourceNode: 'a', targetNode: 'b' },
  },
})
