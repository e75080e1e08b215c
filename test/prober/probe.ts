import { setTimeout as sleep } from 'node:timers/promises'
import type { History } from './history.ts'
import type { Listener } from './listener.ts'
import type { Platform } from './platform.ts'
import { type Ended, request } from './requester.ts'
import { type Asked, type Life, unnamed } from './wanted.ts'

/** A life as it went: what was asked for, in the order in which it ended. */
export interface Went {
  life: Life
  ended: readonly Ended[]
}

export interface Probing {
  platform: Pick<Platform, 'broker'>
  listener: Listener
  history: History
  /** How many lives go on at once. */
  atOnce: number
  silence: number
  patience: number
  /** Told of each request that has ended. */
  onEnd(ended: Ended): void
}

/** Goes through lives, some at once, as long as there are more. */
export async function live(lives: Iterable<Life>, probing: Probing): Promise<Went[]> {
  const next = lives[Symbol.iterator]()
  const went: Went[] = []
  const worker = async () => {
    for (let one = next.next(); !one.done; one = next.next()) went.push(await goThrough(one.value, probing))
  }
  await Promise.all(Array.from({ length: probing.atOnce }, worker))
  return went
}

/** One wave after the other; a machine that could not be made has none. */
async function goThrough(life: Life, { platform, onEnd, ...around }: Probing): Promise<Went> {
  const ended: Ended[] = []
  let name = unnamed
  for (const wave of life.waves) {
    const ask = async (asked: Asked) => {
      const one = await request(asked, withName(asked.data, name), { ...around, broker: platform.broker })
      ended.push(one)
      onEnd(one)
    }
    await Promise.all(wave.map(ask))
    const [first] = ended
    if (first?.asked.lifecycle !== 'provision') continue
    if (first.terminal !== 'completed') break
    name = nameOf(first.asked.run, around.listener) ?? unnamed
  }
  return { life, ended }
}

const withName = (data: object, name: string): object =>
  'name' in data && data.name === unnamed ? { ...data, name } : data

/** What a run has said it is about. */
export const nameOf = (run: string, listener: Listener): string | undefined =>
  listener.of(run).findLast((heard) => heard.name !== undefined)?.name

/** Has runs looked for that stand still, as a PingSource does; a tick that is lost is none. */
export function startTicks(broker: string, milliseconds: number): () => void {
  let count = 0
  const timer = setInterval(() => {
    count += 1
    const tick = {
      specversion: '1.0',
      id: `${process.pid}-${count}`,
      source: '/timer',
      type: 'dev.drover.sweep.requested',
    }
    const headers = { 'content-type': 'application/cloudevents+json' }
    fetch(broker, { method: 'POST', headers, body: JSON.stringify(tick), signal: AbortSignal.timeout(2_000) }).then(
      (answer) => answer.body?.cancel(),
      () => undefined,
    )
  }, milliseconds)
  return () => clearInterval(timer)
}

/** Resolves when nothing was heard for a while. */
export async function quiet(listener: Listener, milliseconds: number): Promise<void> {
  while (Date.now() - listener.last() < milliseconds) await sleep(200)
}
