import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff'
import { draftOf } from './draft.ts'
import type { Change, Fleet, Tree } from './fleet.ts'
import { isLock, runFolder } from './paths.ts'
import { unlessLost } from './standing.ts'
import type { Here, Outcome, Run, Step } from './step.ts'

/** True for a run that only says what it would do. */
export const isPlan = ({ request }: Pick<Run, 'request'>): boolean =>
  typeof request === 'object' && request !== null && 'plan' in request && request.plan === true

/** A step over the fleet; where the run is a plan, over a draft of it that goes on from task to task. */
export const overFleet =
  (fleet: Fleet, step: (run: Run, fleet: Fleet, here: Here) => Promise<Outcome>): Step =>
  async (run, here) => {
    if (!isPlan(run)) return unlessLost(await step(run, fleet, here), run, fleet)
    const draft = draftOf(fleet, run.draft ?? [])
    const outcome = await step(run, draft.fleet, here)
    return outcome.kind === 'succeeded' ? { ...outcome, draft: draft.changes() } : outcome
  }

/** What a draft makes of the fleet. */
export interface PlannedFiles {
  /** A line for each file, as `git status` says it. */
  plan: string[]
  /** What changes in them, as `git diff` says it; the files that had no room any more are named at its end. */
  diff: string
}

/** An event is a message of a Broker, and those of Kafka take a megabyte; a person reads less. */
const longestDiff = 100_000

/** Compares a draft with the fleet as it is; what only a run needs is left out. */
export async function plannedFiles(tree: Tree, changes: readonly Change[]): Promise<PlannedFiles> {
  const shown = changes
    .filter(({ path }) => !path.startsWith(`${runFolder}/`) && !isLock(path))
    .sort((one, other) => (one.path < other.path ? -1 : 1))
  const before = await Promise.all(shown.map(({ path }) => tree.read(path)))
  const files = shown
    .map(({ path, content }, at) => ({ path, before: before[at], after: content ?? undefined }))
    .filter((file) => file.before !== file.after)
  return { plan: files.map(lineOf).sort(), diff: diffOf(files) }
}

interface PlannedFile {
  path: string
  before: string | undefined
  after: string | undefined
}

const lineOf = ({ path, before, after }: PlannedFile) =>
  `${before === undefined ? 'A' : after === undefined ? 'D' : 'M'} ${path}`

function diffOf(files: readonly PlannedFile[]): string {
  const patches: string[] = []
  const left: string[] = []
  let length = 0
  for (const { path, before, after } of files) {
    const [from, to] = [
      before === undefined ? '/dev/null' : `a/${path}`,
      after === undefined ? '/dev/null' : `b/${path}`,
    ]
    const patch = createTwoFilesPatch(from, to, before ?? '', after ?? '', '', '', { headerOptions: FILE_HEADERS_ONLY })
    if (length + patch.length > longestDiff) left.push(path)
    else {
      patches.push(patch)
      length += patch.length
    }
  }
  return [...patches, ...left.map((path) => `and ${path}\n`)].join('')
}
