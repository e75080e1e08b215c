/**
 * The one table that declares every lifecycle. Event types, Triggers, the README's table and the docs of events follow
 * from it; a test holds them together. A new lifecycle is one row.
 */

export const functionNames = [
  'validate',
  'locate',
  'allocate',
  'place',
  'register',
  'build',
  'commit',
  'verify',
  'notify',
  'recover',
] as const
export type FunctionName = (typeof functionNames)[number]

/** One task: the function that does it, the fact its success states, and the name people read (`eventSubTask`). */
export interface Task {
  name: string
  by: FunctionName
  done: string
  title: string
  /** True when it waits for the world and tells its progress. */
  waits?: true
  /** The round that it is a part of. */
  round?: RoundName
}

/** The steps that lifecycles are made of. */
const steps = {
  validate: { by: 'validate', done: 'validated', title: 'Validate parameters' },
  locate: { by: 'locate', done: 'located', title: 'Find the machine and hold it', waits: true },
  hold: { by: 'locate', done: 'held', title: 'Hold the image', waits: true },
  name: { by: 'allocate', done: 'named', title: 'Generate and reserve the VM name' },
  address: { by: 'allocate', done: 'allocated', title: 'Register IP, DNS and MAC' },
  place: { by: 'place', done: 'placed', title: 'Identify the cluster', waits: true },
  plan: { by: 'register', done: 'planned', title: 'Register in enterprise systems as planned' },
  customize: { by: 'build', done: 'customized', title: 'Embed the customization in cloud-init' },
  operate: { by: 'register', done: 'operational', title: 'Register in enterprise systems as operational' },
  check: { by: 'verify', done: 'checked', title: 'Check the machine', waits: true },
  release: { by: 'allocate', done: 'released', title: 'Release IP and DNS' },
  absence: { by: 'verify', done: 'absent', title: 'Check that IP and DNS are gone', waits: true },
  retire: { by: 'register', done: 'retired', title: 'Register in enterprise systems as retired' },
  complete: { by: 'commit', done: 'completed', title: 'Close the run' },
  notify: { by: 'notify', done: 'notified', title: 'Give feedback to the requester' },
} as const satisfies Record<string, Omit<Task, 'name'>>

/**
 * Rounds: build -> commit -> verify, a change of the fleet repository and the wait until the cluster shows it. Each has a
 * goal (shared/goals) of its name and, unless it makes or removes the machine, an edit of the definition (functions/build). The titles are those of build and verify;
 * a round that writes to disks which a machine has says so, for whoever has to take it back.
 */
const machineRounds = {
  create: ['Create the artifacts', 'Wait until the machine is ready'],
  stop: ['Write down that the machine is off', 'Wait until the machine has stopped'],
  start: ['Write down that the machine runs', 'Wait until the machine is as it is to be'],
  save: ['Write down a snapshot to go back to', 'Wait until there is a way back'],
  snapshot: ['Write down what becomes of snapshots', 'Wait until the snapshot is ready'],
  restore: ['Write down the restore', 'Wait until the disks are restored', 'writes'],
  patch: ['Write down the job that patches the disk', 'Wait until the disk is patched', 'writes'],
  image: ['Write down the new root disk', 'Wait until the new root disk is made'],
  swap: ['Put the new root disk in place of the old one', 'Wait until the machine runs from the new root disk'],
  resize: ['Write down the new size', 'Wait until the disks have their size'],
  migrate: ['Write down the migration', 'Wait until the machine has moved'],
  remove: ['Archive the machine', 'Wait until the machine is gone'],
} as const satisfies Titles

/** The same of golden images. */
const imageRounds = {
  import: ['Write down the disk of the image', 'Wait until the disk is made'],
  secrets: ['Write down the secrets that it is made with', 'Wait until the secrets are there'],
  customize: ['Write down the job that customizes the disk', 'Wait until the disk is customized'],
  push: ['Write down the job that pushes the image', 'Wait until the image is pushed'],
  publish: ['Write down that the image is the latest', 'Wait until the image can be used'],
} as const satisfies Titles

type Titles = Record<string, readonly [build: string, verify: string, writes?: 'writes']>

const rounds: Record<RoundName, Titles[string]> = { ...machineRounds, ...imageRounds }

export type MachineRound = keyof typeof machineRounds
export type ImageRound = keyof typeof imageRounds
export type RoundName = MachineRound | ImageRound

export const isRound = (name: string): name is RoundName => Object.hasOwn(rounds, name)

export const isImageRound = (round: RoundName): round is ImageRound => round in imageRounds

/** True for a round that writes to disks which a machine has: what was on them before is in the run's own snapshot. */
export const writesDisks = (round: RoundName): boolean => rounds[round][2] === 'writes'

/** What a run is about: a machine that there is, one that it makes, or a golden image. */
export type Subject = 'machine' | 'new machine' | 'image'

interface Row {
  title: string
  /** A machine that there is where it is not said. */
  about?: Subject
  steps: readonly (keyof typeof steps | { round: RoundName })[]
}

const round = (name: RoundName) => ({ round: name })

/** How every change of a machine that there is begins, and how those end after which it is to run. */
const begin = ['validate', 'locate'] as const
const end = ['complete', 'notify'] as const
const accept = ['check', ...end] as const

/** How a machine comes to be once it is known what is wanted. */
const make = ['name', 'address', 'place', 'plan', 'customize', round('create'), 'operate', ...accept] as const

const table = {
  'golden-image': {
    title: 'Golden Image Creation',
    about: 'image',
    steps: [
      'validate',
      'hold',
      round('import'),
      round('secrets'),
      round('customize'),
      round('push'),
      round('publish'),
      ...end,
    ],
  },
  provision: { title: 'Provisioning', about: 'new machine', steps: ['validate', ...make] },
  deprovision: {
    title: 'De-provisioning',
    steps: [...begin, round('stop'), round('save'), round('remove'), 'release', 'absence', 'retire', ...end],
  },
  repave: {
    title: 'Rebuild/Repave',
    steps: [...begin, round('image'), round('save'), round('stop'), round('swap'), ...accept],
  },
  patch: {
    title: 'Patching',
    steps: [...begin, round('stop'), round('save'), round('patch'), round('start'), ...accept],
  },
  snapshot: { title: 'Snapshot', steps: [...begin, round('snapshot'), ...end] },
  restore: {
    title: 'Recovery',
    steps: [...begin, round('stop'), round('save'), round('restore'), round('start'), ...accept],
  },
  clone: { title: 'Recovery to a new machine', about: 'new machine', steps: [...begin, ...make] },
  resize: { title: 'Resizing', steps: [...begin, round('stop'), round('resize'), round('start'), ...accept] },
  power: { title: 'Power', steps: [...begin, round('stop'), round('start'), ...end] },
  migrate: { title: 'Migration', steps: [...begin, round('migrate'), ...accept] },
} as const satisfies Record<string, Row>

export type LifecycleName = keyof typeof table

export interface Lifecycle {
  name: LifecycleName
  title: string
  about: Subject
  tasks: readonly Task[]
}

function tasksOf(row: Row): Task[] {
  return row.steps.flatMap((step): Task[] => {
    if (typeof step === 'string') return [{ name: step, ...steps[step] }]
    const { round } = step
    const [build, verify] = rounds[round]
    return [
      { name: `${round}.build`, by: 'build', done: `${round}.built`, title: build, round },
      { name: `${round}.commit`, by: 'commit', done: `${round}.committed`, title: 'Push to Git', round },
      { name: `${round}.verify`, by: 'verify', done: `${round}.verified`, title: verify, waits: true, round },
    ]
  })
}

export const lifecycles: readonly Lifecycle[] = Object.entries<Row>(table).map(([name, row]) => ({
  name: name as LifecycleName,
  title: row.title,
  about: row.about ?? 'machine',
  tasks: tasksOf(row),
}))

/** What `recover` does; a task of every lifecycle, outside its chain. */
export const undo = {
  name: 'undo',
  by: 'recover',
  done: 'rolledback',
  title: 'Undo what the run did',
  waits: true,
} as const satisfies Task

/** How a run may end: in exactly one of these. */
export const terminals = ['completed', 'rolledback', 'stranded'] as const
export type Terminal = (typeof terminals)[number]

/** A lifecycle by its name. */
export const lifecycleOf = (name: LifecycleName): Lifecycle => knownLifecycle(name) as Lifecycle

/** The same of a name that anybody may have written; undefined where there is none of it. */
export const knownLifecycle = (name: string): Lifecycle | undefined => lifecycles.find((one) => one.name === name)

/** True for what is done to a machine that there is. */
export const changesMachine = (name: LifecycleName): boolean => lifecycleOf(name).about === 'machine'

/** True for what makes a machine. */
export const makesMachine = (name: LifecycleName): boolean => lifecycleOf(name).about === 'new machine'

/** True for what begins with a machine that there is, be it to change it or to make another one from it. */
export const findsMachine = (name: LifecycleName): boolean => placeIn(name, 'locate') >= 0

/** True for what takes a machine away. */
export const removesMachine = (name: LifecycleName): boolean => roundsOf(name).includes('remove')

/** True for what makes a golden image. */
export const makesImage = (name: LifecycleName): boolean => lifecycleOf(name).about === 'image'

/** Where a task stands in its lifecycle; -1 when it is none of it. */
export const placeIn = (name: LifecycleName, task: string): number =>
  lifecycleOf(name).tasks.findIndex((one) => one.name === task)

/** The round that a task is a part of. */
export const roundOf = (name: LifecycleName, task: string): RoundName | undefined =>
  lifecycleOf(name).tasks.find((one) => one.name === task)?.round

/** The rounds of a lifecycle, in their order. */
export const roundsOf = (name: LifecycleName): RoundName[] => [
  ...new Set(lifecycleOf(name).tasks.flatMap(({ round }) => round ?? [])),
]
