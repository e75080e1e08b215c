import { allocateAddress } from '../functions/allocate/address.ts'
import { allocateName } from '../functions/allocate/name.ts'
import { create } from '../functions/build/create.ts'
import { customize } from '../functions/build/customize.ts'
import { place } from '../functions/place/place.ts'
import { validate } from '../functions/validate/validate.ts'
import { DroverError } from '../shared/errors.ts'
import type { Change } from '../shared/fleet.ts'
import type { GitOpsSettings } from '../shared/gitops/application.ts'
import { trailersOf } from '../shared/ledger.ts'
import { isLock, runFile } from '../shared/paths.ts'
import { runId } from '../shared/run.ts'
import type { Outcome, Run } from '../shared/step.ts'
import type { FolderFleet } from './folder-tree.ts'
import { here, hubThatDecides } from './stand-ins.ts'

/** What a rehearsal does not find out for itself. */
export interface Given {
  /** Who is told by the request's event: its source and id. */
  source: string
  id: string
  request: unknown
  cluster: string
  settings: GitOpsSettings
}

/**
 * Runs a request through the steps that decide what goes to Git, over a fleet in memory and a hub that decides on the
 * given cluster, and answers the files. A request that cannot be granted throws with the sentence that its run would
 * end with.
 */
export async function rehearse(given: Given, fleet: FolderFleet): Promise<Change[]> {
  const run = toRun(given)
  const { settings } = given
  const waiting = { ...settings, graceMilliseconds: 0 }
  const does = async (task: string, step: () => Promise<Outcome>) => {
    run.task = task
    const outcome = await step()
    if (outcome.kind !== 'succeeded') throw new DroverError('refused', outcome.message)
    run.facts = { ...run.facts, ...outcome.facts }
    return outcome.changes ?? []
  }
  await does('validate', () => validate(run, fleet))
  await does('name', () => allocateName(run, fleet))
  await does('address', () => allocateAddress(run, fleet))
  await does('place', () => place(run, fleet, hubThatDecides(given.cluster), waiting, here))
  await does('customize', async () => customize(run, await fleet.head()))
  const changes = await does('create.build', async () => create(run, await fleet.head(), settings))
  const subject = `create ${run.facts.name}`
  await fleet.transact({ subject, trailers: trailersOf(run), decide: async () => ({ changes, value: undefined }) })
  // Record and lock are gone when the run has ended.
  return fleet.written().filter(({ path }) => path !== runFile(run.id) && !isLock(path))
}

/** A run at its beginning; its times are fixed, so that the same request always gives the same files. */
function toRun({ source, id, request }: Given): Run {
  const { requester } = (request ?? {}) as { requester?: unknown }
  return {
    id: runId(source, id),
    lifecycle: 'provision',
    task: 'validate',
    fact: 'requested',
    message: '',
    // Validate proves it before anybody else reads it.
    request: request as Run['request'],
    facts: {},
    source,
    requester: typeof requester === 'string' ? requester : source,
    since: '1970-01-01T00:00:00.000Z',
    deadline: '1970-01-01T00:30:00.000Z',
    horizon: '1970-01-01T00:00:00.000Z',
    at: '1970-01-01T00:00:00.000Z',
    marks: {},
  }
}
