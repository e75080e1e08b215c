import { type Fleet, nothing, type Tree } from '../../shared/fleet.ts'
import { dataDiskLosses, destroyedClaims, notedAsKept } from '../../shared/kubevirt/data-disks.ts'
import { conflicting, idOf, type RunRecord, readRecord, recorded, trailersOf } from '../../shared/ledger.ts'
import { placeIn } from '../../shared/lifecycles.ts'
import { isShared, runFile } from '../../shared/paths.ts'
import { summary } from '../../shared/schema/show.ts'
import { lostSentence } from '../../shared/standing.ts'
import { type ExpectedChange, ignored, type Outcome, type Run, refused, succeeded } from '../../shared/step.ts'

/**
 * Puts a change set into Git: one commit, on top of whatever is newest, unless somebody changed one of its paths since
 * it was built. The second delivery finds the first one's commit and changes nothing; one that was built from other
 * facts, such as another cluster, comes too late, and so does one of an earlier round: a run goes one way.
 */
export async function commit(run: Run, fleet: Fleet): Promise<Outcome> {
  const changes = run.changes ?? []
  const { value, revision, created } = await fleet.transact<Outcome | 'wanted' | 'there'>({
    subject: subjectOf(run),
    trailers: trailersOf(run),
    reads: [runFile(run.id)],
    decide: async (tree) => {
      const verdict = await judge(tree, run, changes)
      if (verdict !== 'wanted') return nothing(verdict)
      return { changes: await recorded(tree, run, run.facts, changes), value: verdict }
    },
  })
  if (typeof value === 'object') return value
  if (changes.length === 0) return succeeded('Nothing to push', { revision })
  const made = created ? revision : ((await fleet.find(run.id, run.task, run.horizon)) ?? revision)
  return succeeded(`Pushed ${changes.length} files in commit ${made.slice(0, 10)}`, { revision: made })
}

const subjectOf = ({ facts, lifecycle, request, id }: Run) =>
  `${lifecycle} ${request.namespace}/${facts.name} on ${facts.cluster}: run ${id}`

async function judge(tree: Tree, run: Run, changes: readonly ExpectedChange[]): Promise<Outcome | 'wanted' | 'there'> {
  const record = await readRecord(tree, run.id)
  if (record?.state !== 'running')
    return ignored(`Run ${run.id} has ended or is being undone: its change comes too late`)
  // Two machines would get its addresses.
  if (run.facts.interfaces && !record.facts.interfaces) return refused(lostSentence(run))
  // Of a round before: what it wrote was changed since, by this very run.
  if (placeIn(run.lifecycle, record.task) > placeIn(run.lifecycle, run.task)) return another(run)
  if (hasPushed(record, run)) return isSame(record, changes) ? 'there' : another(run)
  if (await isThere(tree, changes)) return 'there'
  const path = await conflicting(tree, changes)
  if (path !== undefined)
    return refused(`Cannot push to Git: ${path} was changed by somebody else since this run looked at it`)
  const losses = await dataDiskLosses(tree, changes, released(run, changes))
  return losses.length === 0 ? 'wanted' : refused(summary('Cannot push to Git', losses))
}

const another = ({ id }: Run) =>
  ignored(`Run ${id} has pushed another change set for this task already: the first one holds`)

/** The data disks that a change set may take out of Git: those it notes as kept, and those the request wants destroyed. */
function released({ facts: { definition } }: Run, changes: readonly ExpectedChange[]): string[] {
  return [...notedAsKept(changes), ...(definition ? destroyedClaims(definition) : [])]
}

/** True when this task has made its commit. */
const hasPushed = ({ task, wrote }: RunRecord, run: Run) => task === run.task && Object.keys(wrote).length > 0

/** True when a run wrote just this, whatever became of it since. */
const isSame = ({ wrote }: RunRecord, changes: readonly ExpectedChange[]) =>
  changes.every(({ path, content }) => isShared(path) || wrote[path]?.after === idOf(content))

/** True when the tree already holds what the change set wants. */
async function isThere(tree: Tree, changes: readonly ExpectedChange[]): Promise<boolean> {
  for (const { path, content } of changes) {
    if (((await tree.oid(path)) ?? null) !== idOf(content)) return false
  }
  return true
}
