import {
  type FunctionName,
  type Lifecycle,
  type LifecycleName,
  lifecycles,
  type Task,
  type Terminal,
  terminals,
  undo,
} from './lifecycles.ts'

/** The CloudEvents types that follow from the table of lifecycles: what each says, and whom it wakes. */

const prefix = 'dev.drover'

/** The CloudEvents type of a fact of a lifecycle, such as `dev.drover.provision.create.committed`. */
export const eventType = (lifecycle: LifecycleName, fact: string): string => `${prefix}.${lifecycle}.${fact}`

/** The lifecycle and the fact that an event type names; undefined when it is not one of ours. */
export function parseEventType(type: string): { lifecycle: Lifecycle; fact: string } | undefined {
  const lifecycle = lifecycles.find((one) => type.startsWith(`${prefix}.${one.name}.`))
  return lifecycle && { lifecycle, fact: type.slice(prefix.length + lifecycle.name.length + 2) }
}

/** The end of a run that an event of this type says; undefined for all others. */
export const terminalOf = (type: string): Terminal | undefined => terminals.find((fact) => type.endsWith(`.${fact}`))

/** The task that an event of this type starts, with the fact that it says; undefined when it starts none (progress, the last fact, a stranger). */
export function taskFor(type: string): { lifecycle: Lifecycle; fact: string; task: Task } | undefined {
  const parsed = parseEventType(type)
  if (!parsed) return undefined
  const { lifecycle, fact } = parsed
  const { tasks } = lifecycle
  const start = (task: Task | undefined) => task && { lifecycle, fact, task }
  if (fact === 'requested') return start(tasks[0])
  if (fact === 'rolledback' || fact === 'stranded') return start(tasks.find((task) => task.by === 'notify'))
  if (fact.endsWith('.failed')) return tasks.some((task) => fact === `${task.name}.failed`) ? start(undo) : undefined
  const at = tasks.findIndex((task) => task.done === fact)
  return at < 0 ? undefined : start(tasks[at + 1])
}

/**
 * The tick on which `recover` looks for runs that stand still. It belongs to no run, and nobody signs it: whoever sends
 * one makes Drover look, no more. A PingSource cannot choose what its events are called, so Knative's own name counts too.
 */
export const sweep = {
  type: 'dev.drover.sweep.requested',
  by: 'recover',
  title: 'Look for runs that stand still',
} as const

const tickTypes: readonly string[] = [sweep.type, 'dev.knative.sources.ping']
export const isTick = (type: string): boolean => tickTypes.includes(type)

/** One event type of the table: who sends it and whom it wakes. */
export interface EventRow {
  type: string
  /** Undefined for the tick. */
  lifecycle: LifecycleName | undefined
  task: Task | undefined
  status: 'tick' | 'request' | 'progress' | 'success' | 'failure'
  wakes: FunctionName | undefined
}

/** Every event type that there is, in the order in which a run meets them. */
export function eventTypes(): EventRow[] {
  return [...lifecycles.flatMap(typesOf), tick]
}

const tick: EventRow = { type: sweep.type, lifecycle: undefined, task: undefined, status: 'tick', wakes: sweep.by }

function typesOf(lifecycle: Lifecycle): EventRow[] {
  const row = (fact: string, status: EventRow['status'], task?: Task): EventRow => {
    const type = eventType(lifecycle.name, fact)
    return { type, lifecycle: lifecycle.name, task, status, wakes: taskFor(type)?.task.by }
  }
  const ofTask = (task: Task) => [
    ...(task.waits ? [row(`${task.name}.progressing`, 'progress', task)] : []),
    row(task.done, 'success', task),
    ...(task.name === undo.name ? [row('stranded', 'failure', task)] : [row(`${task.name}.failed`, 'failure', task)]),
  ]
  return [row('requested', 'request'), ...[...lifecycle.tasks, undo].flatMap(ofTask)]
}
