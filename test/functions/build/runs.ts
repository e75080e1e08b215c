import { recorded } from '../../../shared/ledger.ts'
import type { Facts, Run } from '../../../shared/step.ts'
import { runOf, starterFiles } from '../../examples/starter.ts'
import { type MemoryFleet, memoryFleet } from '../../fleet.ts'
import { dualStack } from '../../shared/cloudinit/guests.ts'

/** What a run has found out before it customizes. */
export const foundOut = (changes: Facts = {}): Facts => ({
  machine: {
    template: 'linux-small',
    guest: 'linux',
    guestAgent: true,
    image: { dataSource: 'rhel9', namespace: 'openshift-virtualization-os-images' },
    size: { instancetype: 'u1.small', preference: 'rhel.9' },
    rootDisk: { size: '30Gi' },
    disks: [],
    networks: [{ network: 'servers' }],
    customizations: ['base-linux', 'monitoring-agent'],
    variables: { timezone: 'Europe/Madrid' },
    placement: { clusterSets: ['global'] },
  },
  labels: { tier: 'web' },
  name: 'web-01',
  identity: { uuid: '4f310451-b6c3-53ef-bf00-134e7dedff44', serial: 'fac03494-2243-5dc6-b82e-dd01dc863359' },
  interfaces: [dualStack()],
  dns: [],
  cluster: 'site-a',
  ...changes,
})

/** A fleet in which the run is in flight and has written the given files. */
export async function fleetOf(run: Run, wrote: Record<string, string> = {}): Promise<MemoryFleet> {
  const fleet = memoryFleet(starterFiles())
  const changes = Object.entries(wrote).map(([path, content]) => ({ path, content }))
  const record = await recorded(await fleet.head(), run, run.facts, changes)
  fleet.put(Object.fromEntries(record.map(({ path, content }) => [path, content])))
  return fleet
}

export const runWith = (task: string, facts: Facts): Run => runOf({ task, facts })
