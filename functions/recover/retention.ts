import { dayOf } from '../../shared/days.ts'
import { messageOf } from '../../shared/errors.ts'
import type { Change, Fleet, Tree } from '../../shared/fleet.ts'
import { type Due, dueBefore, dueChanges, noted } from '../../shared/gitops/due.ts'
import { expired } from '../../shared/gitops/tidy.ts'
import { holderOf, lockOf } from '../../shared/lock.ts'
import { placeOf } from '../../shared/machines.ts'

export interface RetentionSettings {
  /** How many machines one tick looks at (100); the others wait for the next. */
  most?: number
}

/** What a look at the machines came to: how many have let something go, and what could not be done, as sentences. */
interface Look {
  changes: Change[]
  machines: number
  problems: string[]
}

/**
 * Lets go of old root disks and snapshots that are past their time, of machines that nobody holds, in one commit. Everything
 * follows from the tree that it is pushed onto: of two ticks at once the second finds nothing, and a run that takes hold of
 * a machine meanwhile keeps it. A note that was looked at leaves, so that every tick comes to others.
 */
export async function letGo(fleet: Fleet, { most = 100 }: RetentionSettings, now: Date): Promise<string[]> {
  const { value } = await fleet.transact<string[]>({
    subject: 'Look at machines that keep something until now',
    trailers: { run: 'tick', lifecycle: 'tick', requester: 'drover', step: 'retention' },
    decide: async (tree) => {
      const { changes, machines, problems } = await look(tree, most, now)
      if (changes.length === 0) return { nothing: true, value: problems }
      const subject = `Let go of what ${machines} machines kept until now`
      return { changes, value: problems, ...(machines > 0 && { subject }) }
    },
  })
  return value
}

async function look(tree: Tree, most: number, now: Date): Promise<Look> {
  const found: Look = { changes: [], machines: 0, problems: [] }
  let [looked, passed] = [0, 0]
  for await (const due of dueBefore(tree, dayOf(now))) {
    if (looked === most || passed === 10 * most) break
    if (await isHeld(tree, due)) {
      passed += 1
      continue
    }
    looked += 1
    const { changes, problems } = await lookAt(tree, due, now)
    found.changes.push({ path: due.path, content: null }, ...(await deadLock(tree, due)), ...changes)
    found.problems.push(...problems)
    if (changes.some(({ content }) => content === null)) found.machines += 1
  }
  return found
}

/** Nobody but a run changes what a run has changed; a lock whose run is over holds nothing. */
const isHeld = async (tree: Tree, { address }: Due) => (await holderOf(tree, lockOf(address), '')) !== undefined

/** The lock that a run has left behind which is over. */
async function deadLock(tree: Tree, { address }: Due): Promise<Change[]> {
  const path = lockOf(address)
  return (await tree.oid(path)) === undefined ? [] : [{ path, content: null }]
}

/** What one machine lets go of, and the note of when to look again: tomorrow, where it cannot be told what it keeps. */
async function lookAt(tree: Tree, { address }: Due, now: Date): Promise<Omit<Look, 'machines'>> {
  try {
    const { changes, definition } = await expired(tree, address, now.toISOString())
    return { changes: [...changes, ...(definition ? await dueChanges(tree, definition) : [])], problems: [] }
  } catch (error) {
    const again = dayOf(new Date(now.getTime() + 24 * 60 * 60_000))
    const problem = `Cannot look for what ${placeOf(address)} keeps: ${messageOf(error)}`
    return { changes: await noted(tree, address, again), problems: [problem] }
  }
}
