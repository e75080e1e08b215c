import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Seen } from '../../local/feed.ts'
import { terminalOf } from '../../shared/event-types.ts'
import { isLock, runFolder } from '../../shared/paths.ts'
import type { Chain, Run } from '../chain/harness.ts'
import type { Place } from '../chain/set-ups.ts'
import { type Shown, shown } from '../chain/shown.ts'
import { normal, normalDiff } from './normal.ts'
import type { World } from './world.ts'

/** What a run leaves in the world, in words that are the same for each run of its kind. */
export interface Left {
  /** Every event that says that the run has ended. */
  ends: string[]
  message: string
  /** The tasks that made a commit, in their order. */
  commits: string[]
  /** What it changed in the fleet repository. */
  files: string[]
  /** Records and locks of any run. */
  open: string[]
  /** Which states the enterprise system was told of. */
  registered: string[]
  /** What its requester was told. */
  told: string[]
  /** What the clusters show of it, and which disks and guests are still those from before. */
  shown: string[]
}

/** What there was before a run. */
export interface Before {
  commit: string
  shown: Record<string, Shown>
}

export async function look(chain: Chain, { namespace }: Place): Promise<Before> {
  const each = chain.sites.map(async (cluster) => [cluster, await shown(chain, { cluster, namespace })] as const)
  return { commit: (await chain.git('rev-parse', 'main')).trim(), shown: Object.fromEntries(await Promise.all(each)) }
}

/** All but what the clusters show, which may take them a while. */
export async function leftInGit(
  { chain, outside }: World,
  run: Run,
  ended: Seen,
  place: Place,
  { commit }: Before,
): Promise<Omit<Left, 'shown'>> {
  const same = (text: string) => normal(text, run.id, place)
  const range = `${commit}..main`
  const trailers = '%(trailers:key=Drover-Run,key=Drover-Step,valueonly,separator=%x20)'
  const [log, diff, paths] = await Promise.all([
    chain.git('log', '--reverse', `--format=${trailers}`, range),
    chain.git('diff', '--no-renames', '--unified=0', commit, 'main'),
    chain.git('ls-tree', '-r', '--name-only', 'main'),
  ])
  const isOpen = (path: string) => path.startsWith(`${runFolder}/`) || isLock(path)
  return {
    ends: run
      .events()
      .map(({ type }) => type)
      .filter(terminalOf),
    message: same(ended.data.message ?? ''),
    commits: lines(same(log)),
    files: normalDiff(diff, run.id, place),
    open: lines(paths).filter(isOpen),
    registered: Object.entries(outside.registered(place.name)).map(([key, states]) => same(`${key}: ${states}`)),
    told: outside.told(run.id).map(same),
  }
}

/** What the clusters show once it is what is wanted; without that, once it has stayed the same for a while. */
export async function leftOnClusters(
  chain: Chain,
  run: Run,
  place: Place,
  before: Before,
  wanted: string[] | undefined,
): Promise<string[]> {
  const see = async () => {
    const now = await look(chain, place)
    return Object.entries(now.shown)
      .flatMap(([cluster, one]) => sentences(one, before.shown[cluster]))
      .map((sentence) => normal(sentence, run.id, place))
      .sort()
  }
  let found = await see()
  for (let calm = 0; !isDeepStrictEqual(found, wanted) && calm < looks; ) {
    await sleep(pause)
    const next = await see()
    calm = isDeepStrictEqual(next, found) ? calm + 1 : 0
    found = next
  }
  return found
}

/** Controllers do what they do within moments, or not at all. */
const pause = 250
const looks = 20

function sentences({ objects, disks, machines, guests, sources }: Shown, before: Shown | undefined): string[] {
  const sameAs = (one: string | undefined, other: string) => (one === other ? 'as before' : 'new')
  return [
    ...objects,
    ...Object.entries(disks).map(
      ([name, { uid, content }]) => `disk ${name} is ${sameAs(before?.disks[name]?.uid, uid)}, with ${content}`,
    ),
    ...Object.entries(machines).map(([name, status]) => `machine ${name} is ${status}`),
    ...Object.entries(guests).map(([name, uid]) => `the guest of ${name} is ${sameAs(before?.guests[name], uid)}`),
    ...Object.entries(sources).map(([name, disk]) => `${name} stands for ${disk}`),
  ]
}

const lines = (text: string) => text.split('\n').filter((line) => line !== '')
