import { claimProblems, claimsText, isUnfilled, lookAtData, recordedClaims } from '../../shared/claims.ts'
import { type Change, type Fleet, nothing, type Tree } from '../../shared/fleet.ts'
import type { GitOpsSettings } from '../../shared/gitops/application.ts'
import { changed } from '../../shared/gitops/change-set.ts'
import type { Goal } from '../../shared/goals/goal.ts'
import { asBefore } from '../../shared/goals/goals.ts'
import { restored } from '../../shared/goals/restored.ts'
import { saved } from '../../shared/goals/snapshot.ts'
import { stopped } from '../../shared/goals/stopped.ts'
import { type Grace, waitFor } from '../../shared/goals/wait.ts'
import { dataDiskLosses } from '../../shared/kubevirt/data-disks.ts'
import { allClaims, dataClaims, rootDiskName, rootVolume } from '../../shared/kubevirt/manifest.ts'
import { type RunRecord, readRecord, recordedStage, type Stage, trailersOf } from '../../shared/ledger.ts'
import { roundsOf, writesDisks } from '../../shared/lifecycles.ts'
import { type Claim, type MachineAddress, type Machines, placeOf } from '../../shared/machines.ts'
import { claimsFile, definitionFile } from '../../shared/paths.ts'
import type { Definition } from '../../shared/schema/definition.ts'
import { type Claims, type Here, notYet, type Outcome, type Run, type SnapshotVolumes } from '../../shared/step.ts'
import { parseYaml } from '../../shared/yaml.ts'
import { differing, foreign } from './differing.ts'
import { isBackToSize, ungrownOf } from './growth.ts'
import { aimOf, isOnNewRoot, isWritten, needsNewRoot, type Shown, type Sides, stageAfter, wayBack } from './stages.ts'
import { conflictSentence } from './strand.ts'

/** What a rewind works with. */
export interface Means {
  fleet: Fleet
  machines: Machines
  gitops: GitOpsSettings
  rootApplication: string
}

/**
 * Puts a machine back that a run has changed, in stages, for its disks must never be changed under a guest: off; its disks
 * as the run's own snapshot has them, where the run may have written to them; and its definition as it was. Undefined once
 * the cluster shows that.
 */
export async function rewind(
  run: Run,
  address: MachineAddress,
  means: Means,
  here: Here,
): Promise<Outcome | undefined> {
  const from = await newRootFrom(run, address, means)
  if (from === 'not to be used') return notYet(`Still undoing: the snapshot of ${placeOf(address)} cannot be used yet`)
  for (let after: Reached | undefined; ; ) {
    const shown = { from, ...(await claimsShown(run, address, means, from)) }
    const step = await advance(run, address, means, after, shown)
    if (!step) return undefined
    if ('losses' in step) return cannot(address, step.losses.join('; '))
    if ('stranded' in step) return { kind: 'stranded', message: step.stranded }
    await means.machines.refresh(means.rootApplication)
    await means.machines.refresh(address.name)
    const { stage, aim: definition, revision } = step
    const { restoredFrom: _, ...facts } = run.facts
    const aim = { run: run.id, definition, revision, facts: { ...facts, ...(from && { restoredFrom: from }) } }
    const outcome = await waitFor(aim, means.machines, untilDeadline, here, goals[stage])
    if (outcome.kind === 'refused') return cannot(address, outcome.message)
    if (outcome.kind !== 'succeeded') return outcome
    after = { stage, claims: outcome.facts?.claims ?? {} }
  }
}

/**
 * An error that may pass never ends an undo before its time is up: nothing but a person comes after it, and KubeVirt pauses for
 * minutes between its tries to start a guest that has failed.
 */
const untilDeadline: Grace = { graceMilliseconds: Number.POSITIVE_INFINITY }

const cannot = (address: MachineAddress, why: string): Outcome => ({
  kind: 'stranded',
  message: `Cannot put ${placeOf(address)} back: ${why}`,
})

const goals: Record<Stage, Goal> = { off: stopped, keep: saved, disks: restored, back: asBefore }

/** A stage that the cluster shows, with the claims that it has seen. */
interface Reached {
  stage: Stage
  claims: Claims
}

interface Step {
  stage: Stage
  aim: Definition
  revision: string
}

/** What keeps a stage from being begun: data disks that it would remove or shrink; or that it is a person's, and why. */
type Hindrance = { losses: string[] } | { stranded: string }

/** What a root disk that was changed is made anew from, where it is. */
async function newRootFrom(
  run: Run,
  address: MachineAddress,
  { fleet, machines }: Means,
): Promise<SnapshotVolumes | 'not to be used' | undefined> {
  const { record, sides } = (await changedBy(await fleet.head(), run, address)) ?? {}
  if (!record || !sides || !needsNewRoot(record) || !isWritten(record, sides.now)) return undefined
  // An undo that has begun to put all disks back goes on with it.
  if (sides.now.restore) return undefined
  const { name: snapshot = '' } = wayBack(run.id, sides.now) ?? {}
  if (isOnNewRoot(run.id, sides.now)) return { snapshot, volumes: { [rootVolume]: sides.now.rootDisk.snapshot ?? '' } }
  // What was on a claim of its data that came anew is in the snapshot alone: all disks are put back from that.
  if (record.facts.restoring !== 'new disks') {
    const { problems } = await lookAtData(machines, sides.now, run.facts.claims)
    if (problems.length > 0) return undefined
  }
  const { [rootVolume]: root } = await machines.volumesOf(address.cluster, address.namespace, snapshot)
  return root === undefined ? 'not to be used' : { snapshot, volumes: { [rootVolume]: root } }
}

/** What the cluster shows of the machine's claims, where the run has to do with them. */
async function claimsShown(
  run: Run,
  address: MachineAddress,
  { fleet, machines }: Means,
  from: SnapshotVolumes | undefined,
): Promise<Shown> {
  if (!roundsOf(run.lifecycle).some((round) => round === 'resize' || round === 'save' || writesDisks(round))) return {}
  const tree = await fleet.head()
  const { record, sides } = (await changedBy(tree, run, address)) ?? {}
  if (!record || !sides) return {}
  const [own, data] = [allClaims(sides.now), dataClaims(sides.before)]
  const live = await machines.claims(address.cluster, address.namespace, [...new Set([...own, ...data])])
  const claims = live.filter(({ metadata }) => own.includes(metadata.name))
  // A new root disk may be filled once the machine starts, as well.
  const isOpen = ({ metadata, status }: Claim) =>
    from !== undefined && metadata.name === rootDiskName(sides.now) && status?.phase === 'Pending'
  const arePutBack = isWritten(record, sides.now) && !from
  // Not by what the run knows: of a restore to new disks that is their claims.
  const isLost = !arePutBack && claimProblems(data, await recordedClaims(tree, address), live).length > 0
  return {
    isUnfilled: claims.some((one) => isUnfilled(one) || isOpen(one)),
    isLost,
    ungrown: from ? [] : ungrownOf(sides, claims),
  }
}

/** The stage that is to be waited for: the one that another delivery has begun, or the one that comes after. */
async function advance(
  run: Run,
  address: MachineAddress,
  { fleet, gitops }: Means,
  after: Reached | undefined,
  shown: Shown,
): Promise<Step | Hindrance | undefined> {
  const { value, revision } = await fleet.transact<Omit<Step, 'revision'> | Hindrance | undefined>({
    subject: `Put ${placeOf(address)} back after ${run.lifecycle} run ${run.id}`,
    trailers: { ...trailersOf(run), step: 'rewind' },
    decide: async (tree) => {
      const found = await changedBy(tree, run, address)
      if (!found) return nothing(undefined)
      const { record, sides } = found
      if (record.state === 'stranded') return nothing({ stranded: record.message ?? '' })
      if (record.stage !== undefined && record.stage !== after?.stage)
        return nothing({ stage: record.stage, aim: sides.now })
      const stage = stageAfter(record, sides, shown)
      if (!stage) return nothing(undefined)
      const aim = aimOf(stage, record, sides, shown)
      const steps = await differing(tree, sides.now, aim, gitops)
      const conflict = await foreign(tree, record, steps)
      if (conflict !== undefined) return nothing({ stranded: conflictSentence(run, conflict) })
      // A new root disk is none of the data, whose claims stay those that are recorded.
      const changes = await changed(tree, [...steps, ...(shown.from ? [] : claimsAfter(after, aim))])
      const guarded = changes.filter((one) => isNotMadeBy(record, one) && !isBackToSize(one, shown.ungrown ?? []))
      const losses = await dataDiskLosses(tree, guarded)
      if (losses.length > 0) return nothing({ losses })
      return { changes: await recordedStage(tree, record, stage, changes), value: { stage, aim } }
    },
  })
  return value && ('stage' in value ? { ...value, revision } : value)
}

/** True for a file that was there before the run: of the disks that the run has made nobody counts on one. */
const isNotMadeBy = ({ wrote }: RunRecord, { path }: Change) => wrote[path]?.before !== null

/** Disks that were put back are claims that came anew. They are noted, or the machine would be refused from then on. */
function claimsAfter(after: Reached | undefined, definition: Definition): Change[] {
  if (after?.stage !== 'disks') return []
  const { cluster, namespace, name } = definition
  const data = dataClaims(definition)
  const claims = Object.entries(after.claims).filter(([claim]) => data.includes(claim))
  return [{ path: claimsFile(cluster, namespace, name), content: claimsText(Object.fromEntries(claims)) }]
}

/** The record of a run, with its machine before and now; undefined when the run has ended, or has not changed its definition. */
async function changedBy(
  tree: Tree,
  run: Run,
  { cluster, namespace, name }: MachineAddress,
): Promise<{ record: RunRecord; sides: Sides } | undefined> {
  const record = await readRecord(tree, run.id)
  const path = definitionFile(cluster, namespace, name)
  const before = record?.wrote[path]?.before
  const now = record && (await tree.read(path))
  if (!before || now === undefined) return undefined
  const toDefinition = (text: string) => parseYaml(text, path) as Definition
  return { record, sides: { before: toDefinition(await tree.blob(before)), now: toDefinition(now) } }
}
