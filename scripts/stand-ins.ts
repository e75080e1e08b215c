import type { Hub } from '../shared/hub.ts'
import type { Here } from '../shared/step.ts'

/** What stands in for the world where a step is only tried. */

/** A hub that decides on the given cluster. */
export const hubThatDecides = (cluster: string): Hub => ({
  managedCluster: async () => ({ accepted: true }),
  async *watchPlacement() {
    yield { generation: 1, conditions: [], decisions: [{ clusterName: cluster, reason: 'given' }] }
  },
  refresh: async () => undefined,
})

/** A delivery that nobody waits for. */
export const here: Here = {
  now: () => new Date(0),
  progress: async () => undefined,
  patience: new AbortController().signal,
}
