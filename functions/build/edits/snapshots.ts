import { daysAfter, keptDays } from '../../../shared/days.ts'
import { DroverError } from '../../../shared/errors.ts'
import { allClaims } from '../../../shared/kubevirt/manifest.ts'
import { onNewDisks } from '../../../shared/kubevirt/new-disks.ts'
import { requestOf } from '../../../shared/request.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import { show } from '../../../shared/schema/show.ts'
import {
  named,
  newDisksProblem,
  objectName,
  restoreName,
  restoreProblem,
  unknownSnapshot,
  withSnapshot,
} from '../../../shared/snapshots.ts'
import type { Run } from '../../../shared/step.ts'
import type { Edit } from '../edit.ts'

/** The way back of a run that changes disks, or the last snapshot of a machine that goes. */
export const save: Edit = (definition, run) => {
  if (run.lifecycle === 'deprovision' && !requestOf(run, 'deprovision').finalSnapshot) return definition
  // The image is current already: nothing is going to change.
  if (run.lifecycle === 'repave' && !definition.nextRoot) return definition
  const purpose = run.lifecycle === 'deprovision' ? 'final' : 'undo'
  const { keepDays = keptDays } = run.request as { keepDays?: number }
  const name = objectName(definition, `${purpose}-${run.id.slice(0, 8)}`)
  const until = purpose === 'undo' ? { until: daysAfter(run.since, keepDays) } : {}
  return withSnapshot(definition, {
    name,
    purpose,
    run: run.id,
    disks: allClaims(definition),
    taken: run.since,
    ...until,
  })
}

/** Takes a snapshot, or takes one away. */
export const snapshot: Edit = (definition, run) => {
  const { action = 'take' } = requestOf(run, 'snapshot')
  if (action === 'list') return definition
  return action === 'take' ? take(definition, run) : expire(definition, run)
}

function take(definition: Definition, run: Run): ReturnType<Edit> {
  const { snapshot: asked, keepDays } = requestOf(run, 'snapshot')
  const name = objectName(definition, asked ?? run.id.slice(0, 8))
  if (definition.snapshots?.some((one) => one.name === name))
    return { problems: [`snapshot is ${show(asked)}, wanted a name that no snapshot of ${definition.name} has yet`] }
  const until = keepDays === undefined ? {} : { until: daysAfter(run.since, keepDays) }
  const disks = allClaims(definition)
  return withSnapshot(definition, { name, purpose: 'asked', run: run.id, disks, taken: run.since, ...until })
}

function expire(definition: Definition, run: Run): ReturnType<Edit> {
  const { snapshot: asked } = requestOf(run, 'snapshot')
  const found = asked === undefined ? undefined : named(definition, asked)
  if (!found) return { problems: [unknownSnapshot(definition, asked)] }
  return { ...definition, snapshots: (definition.snapshots ?? []).filter((one) => one !== found) }
}

/** Puts the disks back to what they were when a snapshot was taken, as the cluster has a way to. */
export const restore: Edit = (definition, run) =>
  run.facts.restoring === 'new disks' ? anew(definition, run) : inPlace(definition, run)

function anew(definition: Definition, { id, facts, since, request }: Run): ReturnType<Edit> {
  const { restoredFrom: from } = facts
  if (!from) throw new DroverError('unreadable', `Cannot build: run ${id} has found no snapshot`)
  const found = definition.snapshots?.find(({ name }) => name === from.snapshot)
  const problem = found ? newDisksProblem(definition, found, from.volumes) : unknownSnapshot(definition, from.snapshot)
  if (problem !== undefined) return { problems: [problem] }
  const { keepDays = keptDays } = request as { keepDays?: number }
  const replacement = { volumes: from.volumes, until: daysAfter(since, keepDays), atOnce: facts.wasRunning === false }
  return onNewDisks(definition, { run: id, ...replacement })
}

function inPlace(definition: Definition, run: Run): ReturnType<Edit> {
  const { snapshot: asked } = requestOf(run, 'restore')
  const problem = restoreProblem(definition, asked)
  const found = named(definition, asked)
  if (problem !== undefined || !found) return { problems: [problem ?? unknownSnapshot(definition, asked)] }
  return {
    ...definition,
    pinned: true,
    restore: { name: restoreName(definition, run.id), snapshot: found.name },
  }
}
