import { allocateAddress } from '../../functions/allocate/address.ts'
import { allocateName } from '../../functions/allocate/name.ts'
import { create } from '../../functions/build/create.ts'
import { customize } from '../../functions/build/customize.ts'
import { commit } from '../../functions/commit/commit.ts'
import { complete } from '../../functions/commit/complete.ts'
import { validate } from '../../functions/validate/validate.ts'
import { isShared, networkFile } from '../../shared/paths.ts'
import type { Outcome, Run } from '../../shared/step.ts'
import { toYaml } from '../../shared/yaml.ts'
import { runOf, starterFiles } from '../../test/examples/starter.ts'
import { type MemoryFleet, memoryFleet } from '../../test/fleet.ts'
import type { Words } from './words.ts'

/** Paths and what is in them. */
export type Files = Record<string, string>

export interface Made {
  settled: Files
  pending: Files
  /** What the run's commit holds. */
  committed: Files
  run: Run
}

const settings = {
  repoUrl: 'http://git.drover.local/fleet.git',
  branch: 'main',
  namespace: 'argocd',
  project: 'default',
  rootApplication: 'drover-hub',
}

/** Provisions machines one after the other by Drover's own steps, in a fleet that has nothing else; answers with the last. */
export async function makeMachine(
  machines: readonly Words[],
): Promise<{ starter: Files; machine: Made; namespace: Files }> {
  const { 'policy/sources.yaml': _, ...starter } = starterFiles()
  const fleet = memoryFleet(starter)
  let machine: Made | undefined
  let namespace: Files = {}
  for (const words of machines) {
    fleet.put(networkFiles(words))
    const before = await fleet.files()
    machine = await provisioned(fleet, words)
    const shared = Object.entries(difference(before, await fleet.files())).filter(([path]) => isShared(path))
    namespace = { ...namespace, ...Object.fromEntries(shared) }
  }
  if (!machine) throw new Error('Cannot make a machine: none was asked for')
  return { starter, machine, namespace }
}

export const networkFiles = ({ network, cidr, gateway }: Words): Files => ({
  [networkFile(network)]: toYaml({
    description: `Servers of ${network}`,
    attachment: { namespace: 'default', name: network },
    subnets: [{ cidr, gateway }],
    nameservers: [gateway],
    domain: `${network}.example.com`,
    dns: { ttl: 300, reverse: true },
  }),
})

async function provisioned(fleet: MemoryFleet, words: Words): Promise<Made> {
  const before = await fleet.files()
  const run = runOf({
    id: words.run,
    request: {
      template: 'linux-small',
      namespace: words.namespace,
      owner: { kind: 'Group', name: 'team-shop' },
      name: words.name,
      networks: [{ network: words.network, addresses: [words.address] }],
      placement: { cluster: words.cluster },
    },
  })
  await take(run, 'validate', validate({ ...run, source: '/bench' }, fleet))
  await take(run, 'name', allocateName({ ...run, task: 'name' }, fleet))
  await take(run, 'address', allocateAddress({ ...run, task: 'address' }, fleet))
  run.facts = { ...run.facts, cluster: words.cluster, placementReason: 'the request asks for it' }
  await take(run, 'customize', customize({ ...run, task: 'customize' }, await fleet.head()))
  run.task = 'create.build'
  await take(run, 'create.build', create(run, await fleet.head(), settings))
  const uncommitted = await fleet.files()
  const built = { ...run, task: 'create.commit', fact: 'create.built' }
  await take(run, 'create.commit', commit(built, fleet))
  const committed = difference(uncommitted, await fleet.files())
  await take(run, 'complete', complete({ ...run, task: 'complete' }, fleet))
  const settled = Object.entries(difference(before, await fleet.files())).filter(([path]) => !isShared(path))
  return { settled: Object.fromEntries(settled), pending: difference(before, uncommitted), committed, run: built }
}

/** Puts what a step found out into the run, as the events do. */
async function take(run: Run, task: string, outcome: Promise<Outcome>): Promise<void> {
  const ended = await outcome
  if (ended.kind !== 'succeeded') throw new Error(`Cannot make a machine: ${task}: ${ended.message}`)
  run.facts = { ...run.facts, ...ended.facts }
  if (ended.changes) run.changes = ended.changes
}

const difference = (before: Files, after: Files): Files =>
  Object.fromEntries(Object.entries(after).filter(([path, text]) => before[path] !== text))
