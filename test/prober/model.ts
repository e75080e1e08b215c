import type { Terminal } from '../../shared/lifecycles.ts'
import type { Requests } from '../../shared/schema/requests.ts'
import { type Asked, unnamed } from './wanted.ts'

/**
 * The fleet as it must be, from nothing but what was asked for and how it ended: no code of Drover's has a part in it. What
 * is completed has its effect, what is rolled back has none.
 */

/** A request with how its run ended, and what the run said it had got. */
export interface Told {
  asked: Asked
  data: object
  terminal: Terminal | 'missing'
  name?: string | undefined
  cluster?: string | undefined
  addresses?: readonly string[] | undefined
}

/** What one machine or image went through, in its order. */
export interface Lived {
  name: string
  told: readonly Told[]
}

export interface MachineModel {
  owner: string
  template: string
  size: string
  image: string
  root: string
  running: boolean
  /** Each data disk with its size. */
  disks: Record<string, string>
  /** Those that somebody asked for. */
  snapshots: readonly string[]
  addresses: readonly string[]
  /** Whether OCM chose its cluster. */
  placed: boolean
}

export interface ImageModel {
  namespace: string
  cluster: string
  /** The run that made what it stands for, and those that made what it stood for before. */
  builds: readonly string[]
}

export interface FleetModel {
  /** By `<cluster>/<namespace>/<name>`. */
  machines: Record<string, MachineModel>
  images: Record<string, ImageModel>
  names: readonly string[]
  /** `<network>/<address>` to the machine that has it. */
  addresses: Record<string, string>
  /** `<cluster>/<namespace>/<machine>/<disk>` to its size: data disks that outlived their machine, or were let go of. */
  kept: Record<string, string>
  /** `<machine>-<run>` of each that was taken away. */
  archived: readonly string[]
}

interface Machine extends MachineModel {
  /** What its root disk was made from when each of its snapshots was taken. */
  taken: Record<string, string>
  cluster: string
  namespace: string
  name: string
}

/** What has come of a life so far. */
interface State {
  machine?: Machine | undefined
  copies: readonly Machine[]
  kept: Record<string, string>
  archived: readonly string[]
}

/** The fleet after all of these lives. */
export function modelOf(lives: readonly Lived[], keptImages: number): FleetModel {
  const states = lives.map(({ told }) => told.filter(isDone).reduce(after, { copies: [], kept: {}, archived: [] }))
  const machines = states.flatMap(({ machine, copies }) => [...(machine ? [machine] : []), ...copies])
  return {
    machines: Object.fromEntries(machines.map((machine) => [placeOf(machine), essentials(machine)])),
    images: Object.fromEntries(lives.flatMap((life) => imageOf(life, keptImages))),
    names: machines.map(({ name }) => name).sort(),
    addresses: Object.fromEntries(machines.flatMap((one) => one.addresses.map((address) => [address, one.name]))),
    kept: Object.assign({}, ...states.map(({ kept }) => kept)),
    archived: states.flatMap(({ archived }) => archived).sort(),
  }
}

/** A plan that is completed has changed nothing. */
const isDone = ({ terminal, data }: Told) => terminal === 'completed' && !('plan' in data && data.plan)

const placeOf = ({ cluster, namespace, name }: Machine) => `${cluster}/${namespace}/${name}`

const essentials = ({ cluster: _, namespace: __, name: ___, taken: ____, ...rest }: Machine): MachineModel => ({
  ...rest,
  snapshots: [...rest.snapshots].sort(),
  addresses: [...rest.addresses].sort(),
})

const ownerOf = ({ kind, name }: { kind: string; name: string }) => `${kind}:${name}`

function after(state: State, told: Told): State {
  const { asked, data } = told
  const { machine } = state
  if (asked.lifecycle === 'golden-image') return state
  if (asked.lifecycle === 'provision') return { ...state, machine: made(told, data as Requests['provision']) }
  if (!machine) throw new Error(`Cannot tell what "${asked.id}" comes to: it completed without a machine`)
  if (asked.lifecycle === 'clone') {
    const copy = copied(machine, told, data as Requests['clone'])
    return { ...state, copies: [...state.copies, copy] }
  }
  if (asked.lifecycle === 'deprovision') return takenAway(state, machine, told)
  const kept = asked.lifecycle === 'resize' ? detached(machine, data as Requests['resize']) : {}
  return { ...state, machine: changed(machine, told), kept: { ...state.kept, ...kept } }
}

function made({ name = unnamed, cluster = '?', addresses = [] }: Told, request: Requests['provision']): Machine {
  return {
    ...{ name, cluster, addresses, namespace: request.namespace, owner: ownerOf(request.owner) },
    template: request.template,
    size: 'u1.small rhel.9',
    image: 'openshift-virtualization-os-images/rhel9',
    root: '30Gi',
    running: true,
    disks: Object.fromEntries((request.disks ?? []).map((disk) => [disk.name, disk.size])),
    snapshots: [],
    taken: {},
    placed: request.placement === undefined,
  }
}

function copied(machine: Machine, { addresses = [] }: Told, { as, snapshot }: Requests['clone']): Machine {
  const { name, owner } = as
  return {
    ...machine,
    ...{ name, addresses, running: true, snapshots: [], taken: {}, placed: false },
    image: machine.taken[snapshot] ?? machine.image,
    ...(owner && { owner: ownerOf(owner) }),
  }
}

function changed(machine: Machine, { asked, data }: Told): Machine {
  switch (asked.lifecycle) {
    case 'repave': {
      const { image } = data as Requests['repave']
      return image && 'registry' in image ? { ...machine, image: image.registry } : machine
    }
    case 'snapshot':
      return withSnapshot(machine, asked.run, data as Requests['snapshot'])
    case 'resize':
      return resized(machine, data as Requests['resize'])
    case 'power':
      return { ...machine, running: (data as Requests['power']).action !== 'stop' }
    default:
      return machine
  }
}

function withSnapshot(machine: Machine, run: string, { action = 'take', snapshot }: Requests['snapshot']): Machine {
  const name = snapshot ?? run.slice(0, 8)
  if (action === 'take') {
    const taken = { ...machine.taken, [name]: machine.image }
    return { ...machine, snapshots: [...machine.snapshots, name], taken }
  }
  if (action === 'expire') return { ...machine, snapshots: machine.snapshots.filter((one) => one !== name) }
  return machine
}

function resized(machine: Machine, { size, grow = {}, add = [], detach = [] }: Requests['resize']): Machine {
  const { root, ...grown } = grow
  const left = Object.entries({ ...machine.disks, ...grown }).filter(([name]) => !detach.includes(name))
  return {
    ...machine,
    ...(size && { size: sizeOf({ preference: 'rhel.9', ...size }) }),
    ...(root !== undefined && { root }),
    disks: Object.fromEntries([...left, ...add.map((disk) => [disk.name, disk.size] as const)]),
  }
}

/** A size in words. */
export const sizeOf = (size: NonNullable<Requests['resize']['size']>): string =>
  `${'cores' in size ? `${size.cores} cores ${size.memory}` : size.instancetype} ${size.preference ?? ''}`.trim()

const keptOf = (machine: Machine, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [`${placeOf(machine)}/${name}`, machine.disks[name] ?? '?']))

const detached = (machine: Machine, { detach = [] }: Requests['resize']) => keptOf(machine, detach)

function takenAway(state: State, machine: Machine, { asked, data }: Told): State {
  const { destroy = [] } = data as Requests['deprovision']
  const names = Object.keys(machine.disks).filter((name) => !destroy.includes(name))
  return {
    ...state,
    machine: undefined,
    kept: { ...state.kept, ...keptOf(machine, names) },
    archived: [...state.archived, `${machine.name}-${asked.run}`],
  }
}

/** An image stands for what was made last; of what was made before, so many are kept. */
function imageOf({ told }: Lived, keptImages: number): [string, ImageModel][] {
  const built = told.filter((one) => one.asked.lifecycle === 'golden-image' && isDone(one))
  const [last] = built
  if (!last) return []
  const { image, namespace, cluster } = last.data as Requests['golden-image']
  const builds = built.map(({ asked }) => asked.run).reverse()
  return [[image, { namespace, cluster, builds: builds.slice(0, 1 + keptImages) }]]
}
