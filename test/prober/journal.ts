import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import type { CloudEvent } from '../../local/broker/event.ts'
import { readData } from '../../local/feed.ts'

/** An event as the Broker took it in: what the prober needs of it, and what tells its story. */
export interface Heard {
  at: number
  id: string
  type: string
  source: string
  run?: string
  message?: string
  failure?: string
  name?: string
  cluster?: string
  /** `<network>/<address>` of each lease. */
  addresses?: string[]
}

/** One line of the Broker's journal. */
export const lineOf = (event: CloudEvent): string => `${JSON.stringify(toHeard(event))}\n`

export function toHeard({ attributes, data }: CloudEvent, at = Date.now()): Heard {
  const { id = '', type = '', source = '', runid } = attributes
  const { message, failure, facts } = readData(data)
  const addresses = facts?.interfaces?.flatMap(({ leases }) =>
    leases.map(({ network, address }) => `${network}/${address}`),
  )
  return {
    ...{ at, id, type, source },
    ...(runid !== undefined && { run: runid }),
    ...(message !== undefined && { message }),
    ...(failure && { failure: `${failure.task}: ${failure.message}` }),
    ...(facts?.name !== undefined && { name: facts.name }),
    ...(facts?.cluster !== undefined && { cluster: facts.cluster }),
    ...(addresses && { addresses }),
  }
}

/** Reads what has come into a journal since the last time; whoever writes it may be killed at any moment. */
export function openJournal(file: string): () => Heard[] {
  let at = 0
  let rest = ''
  const chunk = Buffer.alloc(1 << 20)
  return () => {
    if (!existsSync(file)) return []
    const descriptor = openSync(file, 'r')
    const lines: string[] = []
    for (let size = 1; size > 0; ) {
      size = readSync(descriptor, chunk, 0, chunk.length, at)
      at += size
      const parts = (rest + chunk.toString('latin1', 0, size)).split('\n')
      rest = parts.pop() ?? ''
      lines.push(...parts)
    }
    closeSync(descriptor)
    return lines.map((line) => JSON.parse(Buffer.from(line, 'latin1').toString('utf8')) as Heard)
  }
}
