import { setTimeout as sleep } from 'node:timers/promises'
import { startClusters } from '../../../local/clusters/clusters.ts'
import type { FaultRule } from '../../../local/clusters/faults.ts'
import { messageOf } from '../../../shared/errors.ts'
import { openLedgers } from '../etcd.ts'
import { complain, endWithParent, toldTo } from './part.ts'

/**
 * The clusters in a process of their own: API servers and controllers, with what etcd would hold on disk. Asked to, it ends
 * and begins anew the servers alone, or the controllers alone.
 */

export interface ClustersPart {
  directory: string
  clusters: Parameters<typeof startClusters>[0]
  faults: readonly FaultRule[]
}

/** What may be asked of it. */
export type Asked = { do: 'restart servers' | 'restart controllers'; after: number } | { do: 'save' }

const { directory, clusters: options, faults } = toldTo<ClustersPart>()
const ledgers = await openLedgers(directory)
const clusters = await startClusters({ ...options, directory, faults, onError: (error) => complain(messageOf(error)) })
const followed = ['hub', ...clusters.names].map((name) => ({ name, store: clusters.store(name) }))
let last: Promise<void> = Promise.resolve()
/** One after the other: each writes the same files. */
const follow = () => {
  last = last.then(() => ledgers.follow(followed, clusters.save))
  return last
}
await follow()
endWithParent(() => clusters.close())

async function answer(asked: Asked): Promise<void> {
  if (asked.do === 'restart servers') await clusters.restartServers(() => sleep(asked.after))
  if (asked.do === 'restart controllers') await clusters.restartControllers(() => sleep(asked.after))
  if (asked.do === 'save') await follow()
}

process.on('message', (asked: Asked) => {
  answer(asked).then(
    () => process.send?.({ done: true }),
    (error: unknown) => process.send?.({ done: false, message: messageOf(error) }),
  )
})

// A ledger that is long is begun anew, so that it is soon read.
for (;;) {
  await sleep(1_000, undefined, { ref: false })
  if (ledgers.isLong()) await follow()
}
