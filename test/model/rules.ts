import { isDeepStrictEqual } from 'node:util'
import { dataClaims, rootDiskName } from '../../shared/kubevirt/manifest.ts'
import type { RunRecord } from '../../shared/ledger.ts'
import { lifecycleOf } from '../../shared/lifecycles.ts'
import type { Lock } from '../../shared/lock.ts'
import { claimsFile, definitionFile, isLock, keptFile, runFile } from '../../shared/paths.ts'
import type { Definition } from '../../shared/schema/definition.ts'
import { endOfUndo } from '../../shared/standing.ts'
import { parseYaml } from '../../shared/yaml.ts'
import { uidOf, volumes } from './cluster.ts'
import { type Commit, type Repository, textOf } from './repository.ts'

/** What holds in every state, and of every commit. Each rule answers what is broken, or nothing. */

/** A state as the rules see it. */
export interface Seen {
  repository: Repository
  /** `<run> <how it ended>`. */
  ended: readonly string[]
  runs: readonly string[]
}

/** A rule that does not hold, and what breaks it. */
export type Broken = string | undefined

type StateRule = (seen: Seen) => Broken
type CommitRule = (commit: Commit) => Broken

const read = <T>({ files }: Repository, path: string): T | undefined => {
  const text = files.get(path)
  return text === undefined ? undefined : (parseYaml(text, path) as T)
}

/** The record of a run; undefined before it has begun, and once it has ended. */
export const recordOf = (repository: Repository, run: string) => read<RunRecord>(repository, runFile(run))
const locksIn = (repository: Repository) =>
  [...repository.files.keys()].filter(isLock).map((path) => ({ path, run: read<Lock>(repository, path)?.run ?? '' }))

/** The locks that a run believes to have. */
const heldBy = (repository: Repository, run: string): string[] =>
  Object.entries(recordOf(repository, run)?.wrote ?? {}).flatMap(([path, { after }]) =>
    isLock(path) && after !== null && repository.files.get(path) !== undefined ? [path] : [],
  )

export const stateRules = {
  'at most one run holds a machine': ({ repository, runs }) => {
    const held = runs.flatMap((run) => heldBy(repository, run))
    return held.find((path, at) => held.indexOf(path) !== at)
  },

  'a lock is that of a run in flight': ({ repository, runs }) =>
    locksIn(repository).find(({ run }) => runs.includes(run) && !recordOf(repository, run))?.path,

  'a run in flight that has taken a lock has it': ({ repository, runs }) => {
    const lacks = (run: string) => {
      const { state, wrote = {} } = recordOf(repository, run) ?? {}
      // An undo gives it back with its last commit, which takes the record away too.
      const taken = Object.entries(wrote).flatMap(([path, { after }]) => (isLock(path) && after !== null ? [path] : []))
      return state !== undefined && taken.some((path) => read<Lock>(repository, path)?.run !== run)
    }
    return runs.find(lacks)
  },

  'a run ends in one way': ({ ended }) => {
    const runs = ended.map((one) => one.split(' ')[0] as string)
    return runs.find((run, at) => runs.indexOf(run) !== at)
  },

  'a run that has ended has no record, and one that is stranded has none that goes on': ({ repository, ended }) =>
    ended.find((one) => {
      const [run = '', how] = one.split(' ')
      const record = recordOf(repository, run)
      return record !== undefined && (how !== 'stranded' || record.state !== 'stranded')
    }),

  'what is recorded of the claims of data is never lost': ({ repository }) =>
    [...repository.files.keys()]
      .filter((path) => /^(vms|archive)\/.*\/values\.yaml$/.test(path))
      .flatMap((path) => unrecorded(repository, path))[0],
} satisfies Record<string, StateRule>

/** Data disks of a machine that has them, of which Git does not know any more which claim they are. */
function unrecorded(repository: Repository, path: string): string[] {
  const definition = read<Definition>(repository, path) as Definition
  const { cluster, namespace, name } = definition
  const isThere = path === definitionFile(cluster, namespace, name)
  const claims = read<Record<string, string>>(repository, claimsFile(cluster, namespace, name)) ?? {}
  const stay = { ...definition, disks: definition.disks.filter(({ destroyed }) => isThere || !destroyed) }
  const uidIn = (claim: string) =>
    isThere ? claims[claim] : read<{ uid?: string }>(repository, keptFile(cluster, namespace, claim))?.uid
  return dataClaims(stay).filter((claim) => uidIn(claim) !== uidOf(claim))
}

export const commitRules = {
  'only its holder changes a machine': ({ run, paths, before, after }) => {
    const own = (repository: Repository, path: string) => read<Lock>(repository, path)?.run === run
    return paths.find((path) => {
      const lock = lockOver(path)
      if (lock === undefined) return false
      const holder = read<Lock>(before, lock)?.run
      const isFree = holder === undefined || !recordOf(before, holder)
      return !own(before, lock) && !(isFree && own(after, lock))
    })
  },

  'nothing is undone once a run is complete': ({ run, step, before }) =>
    before.steps.has(`${run} complete`) ? `${step} after complete` : undefined,

  'no task is committed twice': ({ run, step, before }) => {
    const isTask = tasksOf(before, run).includes(step)
    return isTask && before.steps.has(`${run} ${step}`) ? step : undefined
  },

  'no task goes on with a run that is being undone': ({ run, step, before }) => {
    const { state = 'running' } = recordOf(before, run) ?? {}
    return state !== 'running' && tasksOf(before, run).includes(step) ? state : undefined
  },

  'an undone run leaves a machine as it found it': ({ run, step, before, after }) => {
    if (step !== endOfUndo) return undefined
    const { wrote = {} } = recordOf(before, run) ?? {}
    return Object.entries(wrote).find(([path, { before: blob }]) => {
      if (!/^vms\/.*\/values\.yaml$/.test(path)) return false
      const found = blob === null ? undefined : (parseYaml(textOf(blob), path) as Definition)
      const left = read<Definition>(after, path)
      const isSameRoot = rootOf(left) === rootOf(found) || (left !== undefined && isPutBack(left, run))
      return !isSameRoot || !isDeepStrictEqual(guestOf(found), guestOf(left))
    })?.[0]
  },
} satisfies Record<string, CommitRule>

/** The tasks of a run that has a record. */
const tasksOf = (repository: Repository, run: string): string[] => {
  const record = recordOf(repository, run)
  return record ? lifecycleOf(record.lifecycle).tasks.map(({ name }) => name) : []
}

/** The lock of the machine that a path belongs to. */
function lockOver(path: string): string | undefined {
  const [, folder] = /^(vms\/[^/]+\/[^/]+\/[^/]+)\//.exec(path) ?? []
  const [, machine] = /^hub\/applications\/([^/]+\/[^/]+\/[^/]+)\.yaml$/.exec(path) ?? []
  const of = folder ?? (machine === undefined ? undefined : `vms/${machine}`)
  return of === undefined ? undefined : `${of}/operation.yaml`
}

const rootOf = (definition: Definition | undefined) => definition && rootDiskName(definition)

/** True for a root disk that an undo has made anew, from what the run's own snapshot has of the one that was changed. */
const isPutBack = ({ name, rootDisk, oldRoots = [] }: Definition, run: string) =>
  rootDisk.name === `${name}-root-undo-${run.slice(0, 8)}` &&
  rootDisk.snapshot === volumes.rootdisk &&
  oldRoots.length > 0

/** What of a definition a guest notices, beside its root disk. */
const guestOf = (definition: Definition | undefined) =>
  definition && {
    claims: dataClaims(definition),
    image: definition.image,
    sizes: definition.disks.map(({ size }) => size),
    size: definition.size,
    running: definition.running,
    identity: definition.identity,
  }

/** The first rule that does not hold in a state. */
export const brokenIn = (seen: Seen): Broken => firstBroken(stateRules, seen)

/** The first rule that a commit breaks. */
export function brokenBy(commit: Commit): Broken {
  const broken = firstBroken(commitRules, commit)
  return broken && `${broken}, by its commit of "${commit.step}" for ${commit.run}`
}

function firstBroken<T>(rules: Record<string, (of: T) => Broken>, of: T): Broken {
  for (const [rule, broken] of Object.entries(rules)) {
    const what = broken(of)
    if (what !== undefined) return `Broken: ${rule} (${what})`
  }
  return undefined
}
