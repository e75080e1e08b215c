import { toChangeSet } from '../../shared/gitops/change-set.ts'
import { recorded } from '../../shared/ledger.ts'
import type { LifecycleName } from '../../shared/lifecycles.ts'
import type { Definition } from '../../shared/schema/definition.ts'
import type { Requests } from '../../shared/schema/requests.ts'
import type { Run } from '../../shared/step.ts'
import { runOf, starterFiles } from '../examples/starter.ts'
import { type MemoryFleet, memoryFleet } from '../fleet.ts'

/** A machine that there is, and runs that change it. */

export const gitops = {
  repoUrl: 'https://git.example.com/fleet.git',
  branch: 'main',
  namespace: 'argocd',
  project: 'drover',
  rootApplication: 'drover-hub',
}

export const buildSettings = { ...gitops, guestfs: { image: 'registry.example.com/guestfs:1', kvm: true } }

export const machineOf = ({ cluster, namespace, name }: Definition) => ({ cluster, namespace, name })

/** A run of a lifecycle on db-01, with what its request says beside that. */
export function changing<L extends LifecycleName>(
  lifecycle: L,
  said: Partial<Requests[L]>,
  task: string,
  change: Partial<Run> = {},
): Run {
  const request = { namespace: 'shop', name: 'db-01', ...said } as Run['request']
  const { facts, ...rest } = change
  return runOf({ lifecycle, request, task, ...rest, facts: { name: 'db-01', cluster: 'site-a', ...facts } })
}

/** A fleet with this machine in it, as Drover writes it. */
export async function fleetHaving(...definitions: Definition[]): Promise<MemoryFleet> {
  const fleet = memoryFleet(starterFiles())
  for (const definition of definitions) {
    const changes = await toChangeSet(definition, await fleet.head(), gitops)
    fleet.put(Object.fromEntries(changes.map(({ path, content }) => [path, content])))
  }
  return fleet
}

/** Lets a run commit these files, or only its record. */
export async function commitAs(
  run: Run,
  fleet: MemoryFleet,
  changes: readonly { path: string; content: string | null }[] = [],
): Promise<void> {
  const all = await recorded(await fleet.head(), run, run.facts, changes)
  fleet.put(Object.fromEntries(all.map(({ path, content }) => [path, content])))
}
