import type { Event } from '../../shared/event.ts'
import { lifecycles, type Task, undo } from '../../shared/lifecycles.ts'
import { runId, type Says, toReply } from '../../shared/run.ts'
import type { SigningKey } from '../../shared/signature.ts'
import type { Run } from '../../shared/step.ts'
import { runOf, smallRequest } from '../examples/starter.ts'

export const keys: SigningKey[] = [{ id: 'k1', secret: 'a secret of the tests' }]

/** When everything in these tests happens, half an hour before a run's deadline. */
export const now = new Date('2030-01-01T10:30:00.000Z')

/** A request as a Broker would deliver it. */
export const requestEvent = (changes: Partial<Event> = {}): Event => ({
  id: 'order-1',
  source: '/portal',
  type: 'dev.drover.provision.requested',
  time: '2030-01-01T10:00:00.000Z',
  extensions: {},
  data: smallRequest(),
  ...changes,
})

const [lifecycle] = lifecycles
if (!lifecycle) throw new Error('the table has no lifecycle')

export const taskCalled = (name: string): Task => {
  const task = [...lifecycle.tasks, undo].find((one) => one.name === name)
  if (!task) throw new Error(`no task is called ${name}`)
  return task
}

/** An event of the chain, signed, as the function of the given task would have answered it. */
export function chainEvent(task: string, says: Partial<Says> = {}, run: Partial<Run> = {}, cause = requestEvent()) {
  const { done, by } = taskCalled(task)
  const all: Says = { fact: done, status: 'success', message: `${task} is done`, ...says }
  const of = runOf({ id: runId(cause.source, cause.id), ...run })
  return toReply(cause, of, lifecycle as never, taskCalled(task), `/drover/${by}`, now, all, keys)
}
