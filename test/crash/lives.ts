import {
  type FunctionName,
  type LifecycleName,
  lifecycles,
  makesImage,
  placeIn,
  type Terminal,
} from '../../shared/lifecycles.ts'
import type { machinesOf } from '../chain/machines.ts'
import { cluster, type Place, requests } from '../chain/set-ups.ts'
import { type Trouble, troubleOf } from '../chain/troubles.ts'

/** The ways in which a run goes from its request to its end, each in a lifecycle. */
export interface Life {
  lifecycle: LifecycleName
  ends: Terminal
  /** What goes wrong, where it is undone. */
  trouble?: Trouble
  /** The one function that is killed, where it is not each of them. */
  only?: FunctionName
  /** True where that function has only just started when the request comes. */
  cold?: true
}

const good = (lifecycle: LifecycleName): Life => ({ lifecycle, ends: 'completed' })

/** Undone as late as may be, for then there is most to undo. */
function undone(lifecycle: LifecycleName): Life {
  const trouble = lifecycles
    .find(({ name }) => name === lifecycle)
    ?.tasks.filter(({ name }) => name !== 'check')
    .map((task) => troubleOf(lifecycle, task))
    // Some would be waited for until the time of the run is up.
    .findLast((one) => one !== undefined && one.request === undefined)
  if (!trouble) throw new Error(`Cannot have ${lifecycle} undone: troubles.ts has nothing that goes wrong in it`)
  return { lifecycle, ends: 'rolledback', trouble, only: 'recover' }
}

/** In which lifecycle a function has just started: what it does then is the same in each. */
const starts: Record<FunctionName, Life> = {
  validate: good('provision'),
  locate: good('power'),
  allocate: good('provision'),
  place: good('provision'),
  register: good('provision'),
  build: good('provision'),
  commit: good('provision'),
  verify: good('provision'),
  notify: good('provision'),
  recover: undone('provision'),
}

const names = lifecycles.map(({ name }) => name)

export const lives: readonly Life[] = [
  ...names.map(good),
  ...names.map(undone),
  ...Object.entries(starts).map(([name, life]): Life => ({ ...life, only: name as FunctionName, cold: true })),
]

/** What a life is called. */
export function nameOf({ lifecycle, trouble, only, cold }: Life): string {
  if (cold) return `${only} that has just started, in ${lifecycle}`
  return trouble ? `${lifecycle}, undone after ${trouble.round}` : lifecycle
}

/** What is asked for: nothing that leaves a function without work. */
export function requestOf({ lifecycle, trouble }: Life, place: Place, callback: { url: string }): object {
  const asked = lifecycle === 'provision' ? newMachine(place) : requests[lifecycle](place)
  return { ...asked, ...trouble?.request, callback }
}

const newMachine = (place: Place) => ({
  ...place,
  template: 'linux-small',
  owner: { kind: 'Group', name: 'team-shop' },
  customizations: ['base-linux', 'monitoring-agent'],
  variables: { timezone: 'Europe/Madrid' },
  disks: [
    { name: 'data', size: '5Gi' },
    { name: 'scratch', size: '1Gi' },
  ],
})

/** Puts there what a run of the lifecycle is about, in a namespace that nobody else has; names of all are as long as others. */
export async function prepare(
  { lifecycle }: Life,
  number: number,
  { completed }: ReturnType<typeof machinesOf>,
): Promise<Place> {
  const digits = String(number).padStart(4, '0')
  const place = { namespace: `shop-n${digits}`, name: `vm-n${digits}` }
  if (lifecycle === 'provision' || makesImage(lifecycle)) return place
  await completed('provision', { ...newMachine(place), placement: { cluster } })
  if (goesBack(lifecycle)) await completed('snapshot', { ...place, snapshot: 'clean' })
  return place
}

const goesBack = (lifecycle: LifecycleName) => placeIn(lifecycle, 'restore.build') >= 0 || lifecycle === 'clone'
