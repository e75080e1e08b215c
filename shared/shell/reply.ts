import type { Event } from '../event.ts'
import { type Task, undo } from '../lifecycles.ts'
import { isTerminal, type Says, toReply, undoDeadline, type Work } from '../run.ts'
import { withoutSecrets } from '../secrets.ts'
import type { Ending } from '../step.ts'
import type { ShellOptions } from './work.ts'

/** What the outcome of a task says to the rest of the world. */
export function saysOf(outcome: Ending, { run, lifecycle, task }: Work, options: ShellOptions): Says {
  const { message } = outcome
  const facts = { ...run.facts, ...outcome.facts }
  // An undo is not undone: when it cannot go on, a person must look.
  if (outcome.kind === 'stranded' || (outcome.kind === 'refused' && task.name === undo.name))
    return { fact: 'stranded', status: 'failure', message, facts }
  if (outcome.kind === 'refused') return { ...failed({ run, task }, message, options), facts }
  // The definition is in Git from the commit on; nobody after the chain's last wait needs it in an event.
  const isEnd = isTerminal(task.done)
  if (isEnd || lifecycle.tasks.at(-1) === task) {
    delete facts.definition
    delete facts.image
  }
  const fact = outcome.end ?? task.done
  const status = fact === 'rolledback' ? 'failure' : 'success'
  const draft = outcome.draft ?? run.draft
  return {
    ...{ fact, status, message, facts },
    ...(outcome.changes ? { changes: outcome.changes } : {}),
    ...(draft && !isEnd ? { draft } : {}),
  }
}

/** A failed task: what is undone next has its own deadline. */
export function failed({ run, task }: Pick<Work, 'run' | 'task'>, message: string, options: ShellOptions): Says {
  return {
    fact: `${task.name}.failed`,
    status: 'failure',
    message,
    failure: { task: task.name, title: task.title, message },
    deadline: undoDeadline(run, options.limits, options.now()),
  }
}

/** How a sentence about a task that did not work begins; titles begin with their verb. */
export const cannot = ({ title }: Task): string => `Cannot ${title.charAt(0).toLowerCase()}${title.slice(1)}`

/** The event that says it; what others answered may have come into its sentences. */
export function reply(work: Work, given: Says, options: ShellOptions): Event {
  const { failure } = given
  const says: Says = {
    ...given,
    message: withoutSecrets(given.message),
    ...(failure ? { failure: { ...failure, message: withoutSecrets(failure.message) } } : {}),
  }
  return toReply(work, says, options.now(), options.keys())
}
