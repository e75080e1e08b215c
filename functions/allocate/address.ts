import { toDnsRecords } from '../../shared/dns.ts'
import { DroverError } from '../../shared/errors.ts'
import { type Change, type Fleet, nothing, type Tree } from '../../shared/fleet.ts'
import { toIdentity, toMac } from '../../shared/identity.ts'
import { allocate } from '../../shared/ipam/allocate.ts'
import { hold, type Pool, readPool, usedIn } from '../../shared/ipam/pool.ts'
import { readRecord, recorded, trailersOf } from '../../shared/ledger.ts'
import { addressFile, runFile } from '../../shared/paths.ts'
import { addressesOf } from '../../shared/reservations.ts'
import type { Interface } from '../../shared/schema/definition.ts'
import type { Network } from '../../shared/schema/fleet-files.ts'
import type { Nic } from '../../shared/schema/machine.ts'
import { summary } from '../../shared/schema/show.ts'
import { type Facts, ignored, type Outcome, type Run, refused, succeeded } from '../../shared/step.ts'
import { toYaml } from '../../shared/yaml.ts'

/**
 * Reserves an address of each family for each interface, and says what the machine is called in DNS and by its hardware.
 * An address is a path, so Git itself lets only one run have it.
 */
export async function allocateAddress(run: Run, fleet: Fleet): Promise<Outcome> {
  const { value } = await fleet.transact<Outcome>({
    subject: `Reserve addresses of ${run.facts.name} for run ${run.id}`,
    trailers: trailersOf(run),
    reads: [runFile(run.id)],
    decide: async (tree) => {
      const record = await readRecord(tree, run.id)
      if (record?.state !== 'running') return nothing(ignored(`Run ${run.id} has ended: it gets no address again`))
      if (record.facts.interfaces) return nothing(reserved(run, record.facts))
      const interfaces = await interfacesFor(tree, run)
      return Array.isArray(interfaces) ? reserve(tree, run, interfaces) : nothing(interfaces)
    },
  })
  return value
}

/** An interface, and the network it is in. */
interface Placed {
  nic: Interface
  network: Network
}

async function interfacesFor(tree: Tree, run: Run): Promise<Placed[] | Outcome> {
  const nics = run.facts.machine?.networks ?? []
  const pools = new Map<string, Pool>()
  const problems: string[] = []
  for (const name of new Set(nics.map(({ network }) => network))) {
    const pool = await readPool(tree, name)
    if ('network' in pool) pools.set(name, pool)
    else problems.push(...pool.problems)
  }
  // Those who name an address come first, so that nobody is given it by chance.
  const order = [...nics.entries()].sort(([, a], [, b]) => Number(!a.addresses?.length) - Number(!b.addresses?.length))
  const placed: Placed[] = []
  for (const [index, nic] of order) {
    const pool = pools.get(nic.network)
    if (pool) placed[index] = place(run, index, nic, pool, problems)
  }
  return problems.length > 0 ? refused(summary('Cannot reserve addresses', problems)) : placed
}

function place(run: Run, index: number, nic: Nic, pool: Pool, problems: string[]): Placed {
  const { network, subnets } = pool
  const leases = allocate(nic.network, subnets, usedIn(pool), nic.addresses)
  if (!leases.ok) problems.push(...leases.problems)
  else for (const { address } of leases.value) hold(pool, address)
  return {
    network,
    nic: {
      name: `nic${index}`,
      network: nic.network,
      attachment: network.attachment,
      mac: toMac(run.id, index),
      leases: leases.ok ? leases.value : [],
      nameservers: network.nameservers ?? [],
      domain: network.domain,
    },
  }
}

async function reserve(tree: Tree, run: Run, placed: readonly Placed[]) {
  const { name } = run.facts
  const [first] = placed
  if (name === undefined || !first)
    throw new DroverError('broken', `Cannot reserve addresses: run ${run.id} has no name or no network yet`)
  const interfaces = placed.map(({ nic }) => nic)
  const found = { identity: toIdentity(run.id), interfaces, dns: toDnsRecords(name, first.network, first.nic.leases) }
  const facts = { ...run.facts, ...found }
  return {
    changes: await recorded(
      tree,
      run,
      facts,
      interfaces.flatMap((nic) => leaseFiles(run, name, nic)),
    ),
    value: reserved(run, facts),
  }
}

const leaseFiles = (run: Run, machine: string, { network, mac, leases }: Interface): Change[] =>
  leases.map(({ address }) => ({
    path: addressFile(network, address),
    content: toYaml({
      address,
      network,
      machine,
      namespace: run.request.namespace,
      mac,
      run: run.id,
      since: run.since,
    }),
  }))

function reserved(run: Run, { identity, interfaces = [], dns }: Facts): Outcome {
  const facts = { interfaces, ...(identity && { identity }), ...(dns && { dns }) }
  return succeeded(`Reserved ${addressesOf({ interfaces }).join(', ')} for ${run.facts.name}`, facts)
}
