import { DroverError } from '../../errors.ts'
import type { Clone, Tip } from './clone.ts'
import { type Failure, toFailure } from './failure.ts'
import type { Plan } from './plan.ts'

const DAY = 86_400

export type Outcome = { kind: 'done' } | { kind: 'moved'; tip: Tip } | { kind: 'failed'; failure: Failure }

export interface Publishing {
  clone: Clone
  redact(text: string): string
}

/** Makes a plan true, if the branch is still where the plan began; `isFresh` says that the server was asked just now. */
export async function publish(publishing: Publishing, plan: Plan, isFresh: boolean): Promise<Outcome> {
  const last = plan.commits.at(-1)
  return last === undefined ? confirm(publishing.clone, plan, isFresh) : push(publishing, plan, last)
}

/** Verdicts without any commit were made on what we believed to be the newest tree: they hold only if it was. */
async function confirm(clone: Clone, { base }: Plan, isFresh: boolean): Promise<Outcome> {
  if (isFresh) return { kind: 'done' }
  const tip = await clone.seen()
  return tip.commit === base.commit ? { kind: 'done' } : { kind: 'moved', tip }
}

async function push({ clone, redact }: Publishing, { base, remakes }: Plan, last: string): Promise<Outcome> {
  const result = await clone.push(last, base)
  if (result.code !== 0) {
    // Whatever was answered, or not: the branch alone tells whether the push went through.
    const tip = await clone.fetch()
    if (!(await contains(clone, tip, last, remakes))) {
      if (tip.commit !== base.commit) return { kind: 'moved', tip }
      return { kind: 'failed', failure: toFailure('push to the fleet repository', result, redact) }
    }
  }
  clone.advance(last)
  return { kind: 'done' }
}

async function contains(clone: Clone, tip: Tip, commit: string, remakes: number): Promise<boolean> {
  if (tip.commit === undefined || tip.commit === commit) return tip.commit === commit
  // A new clone begins with the tip: without the history below it, no commit would be found in the branch.
  if (clone.remakes !== remakes) {
    const { code } = await clone.deepen(Math.floor(Date.now() / 1_000) - DAY, tip.commit)
    if (code !== 0) throw unknown()
  }
  const { code } = await clone.git(['merge-base', '--is-ancestor', commit, tip.commit])
  // Without an answer it may be there: it must not be made twice.
  if (code === undefined) throw unknown()
  return code === 0
}

const unknown = () =>
  new DroverError('busy', 'Cannot push to the fleet repository: it cannot be told whether an earlier push went through')
