import { dayOf } from '../../shared/days.ts'
import { messageOf } from '../../shared/errors.ts'
import { type Change, type Fleet, nothing, type Tree } from '../../shared/fleet.ts'
import { type Due, dueBefore, dueChanges, noted } from '../../shared/gitops/due.ts'
import { expired } from '../../shared/gitops/tidy.ts'
import { holderOf, lockOf } from '../../shared/lock.ts'
import { placeOf } from '../../shared/machines.ts'

interface RetentionSettings {
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
      if (changes.length === 0) return nothing(problems)
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
    const one = await lookAt(tree, due, now)
    if (one === 'held') {
      passed += 1
      continue
    }
    looked += 1
    found.changes.push({ path: due.path, content: null }, ...one.changes)
    found.problems.push(...one.problems)
    if (one.hasLetGo) found.machines += 1
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

interface Looked extends Omit<Look, 'machines'> {
  hasLetGo: boolean
}

/** What one machine lets go of, and the note of when to look again: tomorrow, where it cannot be told what it keeps or who holds it. */
async function lookAt(tree: Tree, due: Due, now: Date): Promise<Looked | 'held'> {
  const { address } = due
  try {
    if (await isHeld(tree, due)) return 'held'
    const { changes, definition } = await expired(tree, address, now.toISOString())
    const next = definition ? await dueChanges(tree, definition) : []
    const hasLetGo = changes.some(({ content }) => content === null)
    return { changes: [...(await deadLock(tree, due)), ...changes, ...next], problems: [], hasLetGo }
  } catch (error) {
    const again = dayOf(new Date(now.getTime() + 24 * 60 * 60_000))
    const problem = `Cannot look for what ${placeOf(address)} keeps: ${messageOf(error)}`
    return { changes: await noted(tree, address, again), problems: [problem], hasLetGo: false }
  }
}
