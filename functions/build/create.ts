import { DroverError } from '../../shared/errors.ts'
import type { Change, Tree } from '../../shared/fleet.ts'
import type { GitOpsSettings } from '../../shared/gitops/application.ts'
import { toChangeSet } from '../../shared/gitops/change-set.ts'
import { filesIn } from '../../shared/gitops/removal.ts'
import { dataDiskLosses } from '../../shared/kubevirt/data-disks.ts'
import { expecting, type RunRecord, readRecord } from '../../shared/ledger.ts'
import { holderOf, lockOf, toLock } from '../../shared/lock.ts'
import { isKeptNote, isShared, keptFile, machineFolder } from '../../shared/paths.ts'
import type { Definition } from '../../shared/schema/definition.ts'
import { summary } from '../../shared/schema/show.ts'
import { built, ignored, type Outcome, type Run, refused } from '../../shared/step.ts'

/** Builds the change set that makes the machine: its definition, its manifests and its Application. Changes nothing. */
export async function create(run: Run, tree: Tree, settings: GitOpsSettings): Promise<Outcome> {
  const { definition } = run.facts
  if (!definition) throw new DroverError('unreadable', `Cannot build: run ${run.id} has no definition yet`)
  const record = await readRecord(tree, run.id)
  if (record?.state !== 'running') return ignored(`Run ${run.id} has ended: there is nothing to build`)
  const lock = { path: lockOf(definition), content: toLock(run) }
  const changes = [...(await toChangeSet(definition, tree, settings)), lock, ...taken(run, definition)]
  const problems = [
    ...nameProblems(definition, settings),
    ...(await strangers(tree, definition, record, changes)).map(
      (path) => `${path} is there already and not this run's`,
    ),
    ...(await takenByOthers(tree, record, taken(run, definition))),
    ...(await dataDiskLosses(tree, changes)),
  ]
  if (problems.length > 0) return refused(summary(`Cannot create ${definition.name}`, problems))
  const message = `Built ${changes.length} files for ${definition.name} on ${definition.cluster}`
  return built(message, {}, await expecting(tree, changes))
}

/** Kept disks that the machine takes are not kept for anybody else any more. */
const taken = ({ facts: { attached = [] } }: Run, { cluster, namespace }: Definition): Change[] =>
  attached.flatMap(({ claim }) =>
    claim === undefined ? [] : [{ path: keptFile(cluster, namespace, claim), content: null }],
  )

/** Two machines that wrote to one disk would destroy what is on it, so whoever finds a disk kept no more does without. */
async function takenByOthers(tree: Tree, { wrote }: RunRecord, disks: readonly Change[]): Promise<string[]> {
  const there = await Promise.all(disks.map(({ path }) => tree.oid(path)))
  return disks
    .filter(({ path }, at) => there[at] === undefined && !wrote[path])
    .map(({ path }) => `${path} is gone: another machine has taken that disk`)
}

function nameProblems({ name }: Definition, { rootApplication }: GitOpsSettings): string[] {
  return name === rootApplication ? [`its Application would take the place of "${name}", which applies the hub`] : []
}

/** The files that this run would write over, or would have beside its own, and that it did not write. */
async function strangers(tree: Tree, definition: Definition, record: RunRecord, changes: readonly Change[]) {
  const { cluster, namespace, name } = definition
  const there = await filesIn(tree, machineFolder(cluster, namespace, name))
  const touched = await Promise.all(
    changes.map(async ({ path }) =>
      (await tree.oid(path)) === undefined || isShared(path) || isKeptNote(path) ? [] : [path],
    ),
  )
  const lock = lockOf(definition)
  // Whose run is over holds nothing, and stands in nobody's way.
  const isDead = (await holderOf(tree, lock, record.run)) === undefined
  const found = new Set([...there, ...touched.flat()])
  return [...found].filter((path) => !record.wrote[path] && !(isDead && path === lock))
}
