import { type Random, randomOf } from './random.ts'
import { frail, type Life, unlucky, unnamed, type Wanted } from './wanted.ts'

/** A machine as it should be by now, as far as it matters for what can be asked next. */
interface State {
  namespace: string
  name: string
  running: boolean
  root: { build: number; gibibytes: number }
  disks: readonly string[]
  /** Each snapshot, with the root disk and the data disks that it is of. */
  snapshots: readonly { name: string; root: State['root']; disks: readonly string[] }[]
  /** How much was asked for so far: names are made of it. */
  count: number
}

interface Turn {
  wave: readonly Wanted[]
  state: State
}

/** Undefined where it makes no sense for the machine as it is. */
type Choice = (state: State, random: Random) => Turn | undefined

/** A machine that is made, changed in some ways, and perhaps taken away again. */
export function machineLife(seed: string, number: number, faulty: boolean): Life<Wanted> {
  const random = randomOf(seed, 'machine', number)
  const name = random.chance(0.15) ? unnamed : `m${number}`
  const namespace = namespaceOf(number, faulty, random)
  const disks = random.chance(0.4) ? ['data'] : []
  let state: State = {
    ...{ namespace, name, disks },
    running: true,
    root: { build: 0, gibibytes: 30 },
    snapshots: [],
    count: 0,
  }
  const made = provision(state, random)
  const waves: (readonly Wanted[])[] = [[made]]
  if (made.expected === 'completed') {
    for (let left = 3 + random.below(8); left > 0; ) {
      const turn = random.of(choices)({ ...state, count: state.count + 1 }, random)
      if (!turn) continue
      waves.push(turn.wave)
      state = turn.state
      left -= 1
    }
    if (random.chance(0.5)) waves.push(takenAway(state, random))
  }
  const twice = (wanted: Wanted): Wanted => ({
    ...wanted,
    ...(random.chance(0.2) && { again: random.of(['at once', 'later']) }),
  })
  return { name: `m${number}`, about: 'machine', waves: waves.map((wave) => wave.map(twice)) }
}

function namespaceOf(number: number, faulty: boolean, random: Random): string {
  if (faulty && number % 11 === 5) return unlucky
  return faulty && number % 7 === 3 ? `${frail}-${random.below(2)}` : `team-${random.below(5)}`
}

const placeOf = ({ namespace, name }: State) => ({ namespace, name })

function provision({ namespace, name, disks }: State, random: Random): Wanted {
  const data = {
    ...{ template: 'linux-small', namespace, owner: { kind: 'Group', name: `team-${random.below(9)}` } },
    ...(name === unnamed ? { environment: 'prod', application: namespace.replace(/-\d$/, '') } : { name }),
    ...(disks.length > 0 && { disks: disks.map((disk) => ({ name: disk, size: '5Gi' })) }),
    ...(random.chance(0.7) && { placement: { cluster: random.of(['site-a', 'site-b']) } }),
  }
  return { lifecycle: 'provision', data, expected: namespace === unlucky ? 'rolledback' : 'completed' }
}

const one = (
  lifecycle: Wanted['lifecycle'],
  state: State,
  more: object = {},
  expected: Wanted['expected'] = 'completed',
) => ({ lifecycle, data: { ...placeOf(state), ...more }, expected }) satisfies Wanted

const isFrail = ({ namespace }: State) => namespace.startsWith(frail)

const withSnapshot = (state: State, name: string): State => ({
  ...state,
  snapshots: [...state.snapshots, { name, root: state.root, disks: state.disks }],
})

const snapshot: Choice = (state) => {
  const name = `s${state.count}`
  return { wave: [one('snapshot', state, { snapshot: name })], state: withSnapshot(state, name) }
}

const expire: Choice = (state) => {
  const [first, ...rest] = state.snapshots
  if (!first) return undefined
  const wave = [one('snapshot', state, { action: 'expire', snapshot: first.name })]
  return { wave, state: { ...state, snapshots: rest } }
}

const patch: Choice = (state, random) => {
  const more = random.chance(0.5) ? { customization: { update: true, packages: { install: ['tcpdump'] } } } : {}
  return { wave: [one('patch', state, more, isFrail(state) ? 'rolledback' : 'completed')], state }
}

const isOf = (state: State, { root, disks }: State['snapshots'][number]) =>
  root.build === state.root.build && disks.join() === state.disks.join()

const restore: Choice = (state) => {
  const found = state.snapshots.find((known) => isOf(state, known))
  return found && { wave: [one('restore', state, { snapshot: found.name })], state }
}

const clone: Choice = (state) => {
  // A disk that was smaller then is as large as its claim was, and how much larger than the disk that is depends on the storage.
  const isAsLarge = ({ root }: State['snapshots'][number]) => root.gibibytes === state.root.gibibytes
  const found = state.snapshots.find(
    (known) => isAsLarge(known) && state.disks.every((disk) => known.disks.includes(disk)),
  )
  if (!found || state.name === unnamed) return undefined
  const as = { name: `${state.name}-copy-${state.count}` }
  return { wave: [one('clone', state, { snapshot: found.name, as })], state }
}

const repave: Choice = (state) => {
  const digest = String(state.count).padStart(64, '0')
  const image = { registry: `docker://registry.example.com/golden/rhel9@sha256:${digest}` }
  const root = { ...state.root, build: state.count }
  return { wave: [one('repave', state, { image })], state: { ...state, root } }
}

const grow: Choice = (state) => {
  const gibibytes = state.root.gibibytes + 2
  const wave = [one('resize', state, { grow: { root: `${gibibytes}Gi` } })]
  return { wave, state: { ...state, root: { ...state.root, gibibytes } } }
}

const sizes: readonly [object, ...object[]] = [
  { instancetype: 'u1.medium' },
  { instancetype: 'u1.large' },
  { cores: 2, memory: '4Gi' },
]

const size: Choice = (state, random) => ({ wave: [one('resize', state, { size: random.of(sizes) })], state })

const disks: Choice = (state, random) => {
  const [first] = state.disks
  const name = `d${state.count}`
  const detach = first !== undefined && random.chance(0.5) ? [first] : []
  const more = { add: [{ name, size: '1Gi' }], ...(detach.length > 0 && { detach }) }
  const left = [...state.disks.filter((disk) => !detach.includes(disk)), name]
  return { wave: [one('resize', state, more)], state: { ...state, disks: left } }
}

const power: Choice = (state, random) => {
  const action = state.running ? random.of(['stop', 'restart']) : 'start'
  return { wave: [one('power', state, { action })], state: { ...state, running: action !== 'stop' } }
}

const migrate: Choice = (state) => ({
  wave: [one('migrate', state, {}, state.running ? 'completed' : 'rolledback')],
  state,
})

const plan: Choice = (state, random) => {
  const wanted = random.of([one('patch', state, { plan: true }), one('power', state, { action: 'stop', plan: true })])
  return { wave: [wanted], state }
}

/** What is refused: at once, once the machine is found, or when it is off already. */
const wrong: Choice = (state, random) => {
  const wanted = random.of([
    one('patch', state, { customisation: { update: true } }, 'rolledback'),
    one('restore', state, { snapshot: 'never-taken' }, 'rolledback'),
    one('resize', state, { grow: { root: '1Gi' } }, 'rolledback'),
    one('resize', state, { detach: ['no-such-disk'] }, 'rolledback'),
    one('migrate', { ...state, name: 'nobody' }, {}, 'rolledback'),
    one('clone', state, { snapshot: 'never-taken', as: { name: 'www' } }, 'rolledback'),
  ])
  return { wave: [wanted], state }
}

/** Two at once, whose order does not matter: the second is refused with the name of the first, unless it waits. */
const both: Choice = (state, random) => {
  const waits = random.chance(0.4)
  const name = `s${state.count}`
  const other = random.of([
    one('migrate', state, {}, state.running ? 'completed' : 'rolledback'),
    one('snapshot', state, { snapshot: `${name}-too` }),
    one('patch', state, {}, isFrail(state) ? 'rolledback' : 'completed'),
  ])
  const pair = [one('snapshot', state, { snapshot: name }), other]
  const wave = pair.map((wanted): Wanted => {
    if (waits) return { ...wanted, data: { ...wanted.data, wait: true } }
    return { ...wanted, expected: wanted.expected === 'completed' ? 'either' : wanted.expected }
  })
  // Whether there is a snapshot is known of those alone that are sure to be.
  return { wave, state: waits ? withSnapshot(state, name) : state }
}

/** More often what others build on. */
const choices: readonly [Choice, ...Choice[]] = [
  snapshot,
  ...[snapshot, expire, patch, patch, restore, restore, clone, repave, grow, size, disks],
  ...[power, power, migrate, plan, wrong, both, both],
]

function takenAway(state: State, random: Random): Wanted[] {
  const destroy = state.disks.filter(() => random.chance(0.5))
  const more = { ...(destroy.length > 0 && { destroy }), ...(random.chance(0.4) && { finalSnapshot: true }) }
  const last = one('deprovision', state, more)
  if (random.chance(0.8)) return [last]
  const other = one('snapshot', state, { snapshot: `s${state.count}-late` })
  return [last, other].map((wanted): Wanted => ({ ...wanted, expected: 'either' }))
}
