import { randomBytes } from 'node:crypto'
import { writeEvent } from '../shared/event.ts'
import { eventType } from '../shared/event-types.ts'
import { type FunctionName, lifecycleOf } from '../shared/lifecycles.ts'
import { toReply } from '../shared/run.ts'
import type { Run } from '../shared/step.ts'
import type { Shot } from './load.ts'

const key = { id: 'k1', secret: randomBytes(32).toString('base64url') }

/** The keys of a function that is to believe these events, as its environment has them. */
export const signingKeys = `${key.id}:${key.secret}`

/** The event that wakes a task of a provision, as the task before it would have answered it. */
export function waking(task: string, run: Run): Shot {
  const lifecycle = lifecycleOf('provision')
  const at = lifecycle.tasks.findIndex(({ name }) => name === task)
  const before = lifecycle.tasks[at - 1]
  if (!before) throw new Error(`Cannot wake ${task}: it is the first task of a run, or none`)
  const cause = { id: run.id, source: '/bench', type: eventType('provision', 'requested'), extensions: {}, data: {} }
  const { changes, ...unbuilt } = run
  const says = {
    fact: before.done,
    status: 'success',
    message: `${before.title}: done`,
    ...(task === 'create.commit' && changes ? { changes } : {}),
  } as const
  // It must not be over while it is measured.
  const inTime = { ...unbuilt, deadline: new Date(Date.now() + 3_600_000).toISOString() }
  const work = { event: cause, lifecycle, task: before, run: inTime, source: `/drover/${before.by}` }
  return writeEvent(toReply(work, says, new Date(), [key]))
}

/** The request of a run, as a Broker delivers it. */
const requesting = (run: Run): Shot =>
  writeEvent({
    id: run.id,
    source: '/bench',
    type: eventType('provision', 'requested'),
    extensions: {},
    data: run.request,
  })

/** An event that wakes a function. */
export function wakingFunction(name: FunctionName, run: Run): Shot {
  if (name === 'validate') return requesting(run)
  if (name === 'recover') return failing(run)
  const task = lifecycleOf('provision').tasks.find(({ by }) => by === name)
  return task ? waking(task.name, run) : requesting(run)
}

function failing(run: Run): Shot {
  const lifecycle = lifecycleOf('provision')
  const task = lifecycle.tasks.find(({ name }) => name === 'name')!
  const cause = { id: run.id, source: '/bench', type: eventType('provision', 'requested'), extensions: {}, data: {} }
  const failure = { task: task.name, title: task.title, message: 'it failed' }
  const says = { fact: 'name.failed', status: 'failure', message: failure.message, failure } as const
  return writeEvent(
    toReply({ event: cause, lifecycle, task, run, source: '/drover/allocate' }, says, new Date(), [key]),
  )
}
