import { commit } from '../functions/commit/commit.ts'
import { openFleet } from '../shared/clients/git.ts'
import { environment } from '../shared/config.ts'
import type { Fleet } from '../shared/fleet.ts'
import type { Address, PendingRun } from './fleet/fleets.ts'
import type { Imported } from './fleet/import.ts'

/** A client of a served fleet, as the function `commit` opens it. */
export const openClient = (
  { plainUrl, token }: Address,
  directory: string,
  window?: { runs: number; milliseconds: number },
): Fleet =>
  openFleet({
    url: plainUrl,
    token,
    branch: 'main',
    directory,
    author: { name: 'Drover', email: 'drover@example.com' },
    env: environment(),
    ...(window ? { window } : {}),
  })

/** Lets the step commit what a run has built; fails when it does not end well. */
export async function commitRun({ run }: PendingRun, fleet: Fleet): Promise<void> {
  const outcome = await commit(run, fleet)
  if (outcome.kind !== 'succeeded') throw new Error(`Cannot commit run ${run.id}: ${outcome.message}`)
}

/** The same commit for `git fast-import`. */
export const toImported = ({ run, files }: PendingRun, from?: string): Imported => ({
  message: `provision ${run.request.namespace}/${run.facts.name} by hand\n`,
  files: [files],
  ...(from === undefined ? {} : { from }),
})

export const tip = 'refs/heads/main^0'
