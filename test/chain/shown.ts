import type { KubeObject } from '../../local/clusters/object.ts'
import type { MachineAddress, Restore } from '../../shared/machines.ts'
import type { Chain } from './harness.ts'
import { contentIn } from './machines.ts'

/** What there is in a namespace that one machine or one golden image has for itself. */
export interface Shown {
  /** Kinds and names. */
  objects: string[]
  /** Each claim: the one that it is, and what is on it. */
  disks: Record<string, { uid: string; content: string | undefined }>
  /** How each machine is. */
  machines: Record<string, string>
  /** Which guest runs. */
  guests: Record<string, string>
  /** The disk that each DataSource stands for. */
  sources: Record<string, string | undefined>
}

const kinds = [
  'DataVolume',
  'VirtualMachineSnapshot',
  'VirtualMachineRestore',
  'VirtualMachineInstanceMigration',
  'Job',
  'DataImportCron',
]

/** Looks at a namespace of a cluster. */
export async function shown(chain: Chain, { cluster, namespace }: Omit<MachineAddress, 'name'>): Promise<Shown> {
  const list = (kind: string) => chain.list(cluster, kind, namespace)
  const objects = (await Promise.all(kinds.map(list))).flat()
  const [claims, machines, guests, sources] = await Promise.all([
    list('PersistentVolumeClaim'),
    list('VirtualMachine'),
    list('VirtualMachineInstance'),
    list('DataSource'),
  ])
  return {
    objects: objects
      .filter((one) => !isOver(one))
      .map(({ kind, metadata }) => `${kind} ${metadata.name}`)
      .sort(),
    disks: byName(claims, (one) => ({ uid: one.metadata.uid, content: contentIn(one) })),
    machines: byName(machines, ({ status }) => (status as { printableStatus: string }).printableStatus),
    guests: byName(guests, ({ metadata }) => metadata.uid),
    sources: byName(sources, ({ spec }) => (spec as { source: { pvc?: { name: string } } }).source.pvc?.name),
  }
}

/** A restore belongs to its machine, and goes with it; one that is over does nothing any more. */
const isOver = ({ kind, status }: KubeObject) =>
  kind === 'VirtualMachineRestore' && (status as Restore['status'])?.complete === true

const byName = <T>(objects: KubeObject[], to: (object: KubeObject) => T): Record<string, T> =>
  Object.fromEntries(objects.map((object) => [object.metadata.name, to(object)]))
