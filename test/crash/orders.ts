import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FunctionName, LifecycleName } from '../../shared/lifecycles.ts'

/**
 * What the functions' processes are told of crashes, and what they tell: in files, for whoever is killed can say nothing
 * afterwards. Which points there are nobody writes down: each process notes those that it passes.
 */

/** A place in the handling of an event: at a call to the outside, or at the answer. */
export interface Point {
  /** The type of the event that is handled. */
  type: string
  /** Such as `git push`: what is called, in words that are the same in each run. */
  call: string
  /** Which of the same calls within one delivery. */
  ordinal: number
  moment: Moment
}

/** `during`: it is sent, and nothing has come back yet; only at calls that change something. */
export type Moment = 'before' | 'during' | 'after'

export interface Orders {
  /** The folder in which points are noted. */
  notes: string
  /** What is done at points of other lifecycles is none of it. */
  lifecycle: LifecycleName
  /** Only in this function, where one is named. */
  only?: FunctionName | undefined
  /** Which run it is: in each, every event has its kills. */
  run: number
  /**
   * So many times in one run an event's process is killed, each at the next of its points that none was killed at yet. Each
   * delivery comes to another one, and the Broker is far from giving up. With none of them, points are only noted.
   */
  kills: number
  /** One of so many points is taken, by chance that follows from the seed. */
  every: number
  seed: string
}

export const textOf = ({ type, call, ordinal, moment }: Point): string => `${type}: ${moment} ${call} ${ordinal}`

/** The type of the event at whose handling a point is. */
export const typeIn = (point: string): string => point.slice(0, point.indexOf(':'))

/** The points that were met, and those at which a process was killed, as they are noted in a folder. */
export function openNotes(notes: string) {
  const { met, crashed } = placesIn(notes)
  for (const place of [met, crashed]) mkdirSync(place, { recursive: true })
  const pointsIn = (place: string) => readdirSync(place).map((name) => readFileSync(join(place, name), 'utf8'))
  return { met: () => pointsIn(met), crashed: () => pointsIn(crashed) }
}

/** Gives orders to whoever reads this file. */
export function give(file: string, given: Orders): void {
  mkdirSync(placeOfKills(given), { recursive: true })
  // A process that reads meanwhile must not find half of it.
  writeFileSync(`${file}.new`, JSON.stringify(given))
  renameSync(`${file}.new`, file)
}

/** Takes orders back, and says how often they were carried out. */
export function takeBack(file: string): number {
  const orders = read(file)
  rmSync(file, { force: true })
  return orders ? readdirSync(placeOfKills(orders)).length : 0
}

/** The side of a process that may be killed: true when it is to end here and now. */
export function isToEnd(file: string, name: string, point: Point): boolean {
  const orders = read(file)
  if (!orders || !concerns(orders, name, point)) return false
  const places = placesIn(orders.notes)
  const text = textOf(point)
  writeFileSync(fileOf(places.met, text), text)
  if (!isTaken(text, orders) || existsSync(fileOf(places.crashed, text))) return false
  if (!isNext(orders, point)) return false
  writeFileSync(fileOf(places.crashed, text), text)
  return true
}

/** Whether chance takes a point into the sample. */
export const isTaken = (point: string, { every, seed }: Pick<Orders, 'every' | 'seed'>): boolean =>
  digestOf(`${seed} ${point}`).readUInt32BE(0) % every === 0

const placeOfKills = ({ notes, run }: Orders) => join(notes, `killed-${run}`)
const placesIn = (notes: string) => ({ met: join(notes, 'met'), crashed: join(notes, 'crashed') })

const concerns = ({ lifecycle, only }: Orders, name: string, { type }: Point) =>
  type.startsWith(`dev.drover.${lifecycle}.`) && (only === undefined || only === name)

const digestOf = (text: string) => createHash('sha256').update(text).digest()
const fileOf = (folder: string, point: string) => join(folder, digestOf(point).toString('hex').slice(0, 20))

function read(file: string): Orders | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Orders
  } catch {
    return undefined
  }
}

/** Of two processes that come to their points at once one carries the order out, and where an event has had its kills, none. */
function isNext(orders: Orders, { type }: Point): boolean {
  for (let kill = 1; kill <= orders.kills; kill += 1) {
    try {
      writeFileSync(fileOf(placeOfKills(orders), `${type} ${kill}`), type, { flag: 'wx' })
      return true
    } catch {
      // That one is taken.
    }
  }
  return false
}
