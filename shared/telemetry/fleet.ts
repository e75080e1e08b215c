import type { FleetView } from '../step.ts'
import { freeAddresses, oldestRun, overdue, runs, swept, unreadableRecords } from './metrics.ts'

/** How long what a look came to is shown, in milliseconds: of several instances only one gets a tick, and the others know less. */
const shownFor = 180_000

let forgetting: NodeJS.Timeout | undefined

// A function that never looks has nothing to show.
forget()
swept.remove()

/** Shows what a look at all runs has found, until the next look or until it is too old to be believed. */
export function showFleet({ open, unreadable, networks }: FleetView, now: Date): void {
  forget()
  for (const { lifecycle, state } of open) runs.inc({ lifecycle, state })
  const going = open.filter(({ state }) => state !== 'stranded')
  const longest = (times: string[]) => Math.max(0, ...times.map((time) => (now.getTime() - Date.parse(time)) / 1_000))
  oldestRun.set(longest(going.map(({ since }) => since)))
  overdue.set(longest(going.map(({ deadline }) => deadline)))
  unreadableRecords.set(unreadable.length)
  for (const { network, family, free } of networks) freeAddresses.set({ network, family }, free)
  swept.set(now.getTime() / 1_000)
  clearTimeout(forgetting)
  forgetting = setTimeout(forget, shownFor).unref()
}

function forget(): void {
  for (const one of [runs, oldestRun, overdue, unreadableRecords, freeAddresses]) one.reset()
  // Without a label a number that was reset is 0, which would say that all is well.
  for (const one of [oldestRun, overdue, unreadableRecords]) one.remove()
}
