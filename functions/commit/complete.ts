import { claimsText } from '../../shared/claims.ts'
import { type Change, type Fleet, nothing, type Tree } from '../../shared/fleet.ts'
import { tidied, tidiedImage } from '../../shared/gitops/tidy.ts'
import { type RunRecord, readRecord, trailersOf } from '../../shared/ledger.ts'
import { changesMachine, lifecycleOf, makesImage, makesMachine, removesMachine } from '../../shared/lifecycles.ts'
import { claimsFile, definitionFile, isLock, runFile } from '../../shared/paths.ts'
import { addressesOf, heldAddresses, releasedAtClose } from '../../shared/reservations.ts'
import { listed } from '../../shared/schema/show.ts'
import { ignored, type Outcome, type Run, refused, succeeded } from '../../shared/step.ts'

/**
 * Closes a run: its record and its hold on the machine leave Git, together with what only the run needed. From then on no
 * event can undo what it did.
 */
export async function complete(run: Run, fleet: Fleet): Promise<Outcome> {
  const { facts } = run
  const { value } = await fleet.transact<'closed' | 'gone' | 'undoing' | { held: string[] }>({
    subject: `Close run ${run.id}: ${run.lifecycle} of ${facts.name} completed`,
    trailers: trailersOf(run),
    reads: [runFile(run.id)],
    decide: async (tree) => {
      const record = await readRecord(tree, run.id)
      if (record === undefined) return nothing('gone')
      if (record.state !== 'running') return nothing('undoing')
      const held = await leftBehind(tree, run)
      if (held.length > 0) return nothing({ held })
      return { changes: await closing(tree, run, record), value: 'closed' }
    },
  })
  if (typeof value === 'object')
    return refused(
      `Cannot close the run: ${facts.name} is gone, but this is still reserved for it: ${listed(value.held)}`,
    )
  const closed =
    value === 'closed' || (value === 'gone' && (await fleet.find(run.id, run.task, run.horizon)) !== undefined)
  if (!closed) return ignored(`Run ${run.id} has been undone: it cannot be completed any more`)
  return succeeded(sentence(run), facts)
}

/** What is still reserved for a machine that this run has taken out of the fleet: nothing but its name, once all is released. */
const leftBehind = async (tree: Tree, run: Run): Promise<string[]> =>
  removesMachine(run.lifecycle) ? heldAddresses(tree, run) : []

async function closing(tree: Tree, run: Run, record: RunRecord): Promise<Change[]> {
  const { name, cluster, claims } = run.facts
  const locks = Object.keys(record.wrote).filter(isLock)
  const released = await releasedAtClose(tree, run)
  const closed = [runFile(run.id), ...locks, ...released].map((path): Change => ({ path, content: null }))
  if (name === undefined || cluster === undefined) return closed
  if (makesImage(run.lifecycle)) return [...closed, ...(await tidiedImage(tree, name))]
  const { namespace } = run.request
  const isThere = (await tree.oid(definitionFile(cluster, namespace, name))) !== undefined
  if (!isThere) return closed
  const path = claimsFile(cluster, namespace, name)
  const seen = claims && Object.keys(claims).length > 0 ? [{ path, content: claimsText(claims) }] : []
  // A machine that was just made has nothing that is over.
  const over = changesMachine(run.lifecycle) ? await tidied(tree, { cluster, namespace, name }, run.at) : []
  return [...closed, ...seen, ...over]
}

function sentence({ lifecycle, request, facts, message }: Run): string {
  const { name, cluster, report = [] } = facts
  if (makesMachine(lifecycle)) return `VM ${name} is ready on ${cluster} at ${addressesOf(facts).join(', ')}`
  const rest = report.length === 0 ? message : report.join(', ')
  return `${lifecycleOf(lifecycle).title} of ${request.namespace}/${name} on ${cluster} is complete: ${rest}`
}
