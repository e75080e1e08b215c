import { openSync, writeSync } from 'node:fs'
import { startBroker } from '../../../local/broker/broker.ts'
import { readManifests } from '../../../local/broker/load.ts'
import { lineOf } from '../journal.ts'
import { complain, endWithParent, toldTo } from './part.ts'

/** The Broker in a process of its own. What it holds goes with it; that it accepted an event is noted in a file before. */

export interface BrokerPart {
  port: number
  journal: string
  /** Where the functions are. */
  addresses: Record<string, string>
}

const root = new URL('../../..', import.meta.url).pathname
const { port, journal, addresses } = toldTo<BrokerPart>()
const file = openSync(journal, 'a')
const broker = await startBroker({
  manifests: await readManifests(`${root}broker`, `${root}triggers`),
  port,
  resolve: ({ name }) => (addresses[name] === undefined ? undefined : new URL(addresses[name])),
  warn: complain,
  observe: ({ event }) => void writeSync(file, lineOf(event)),
})
endWithParent(() => broker.close())
