import type { Event } from '../../shared/event.ts'
import { type LifecycleName, lifecycleOf, type Task, undo } from '../../shared/lifecycles.ts'
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

export const taskCalled = (name: string, lifecycle: LifecycleName = 'provision'): Task => {
  const task = [...lifecycleOf(lifecycle).tasks, undo].find((one) => one.name === name)
  if (!task) throw new Error(`no task is called ${name}`)
  return task
}

/** An event of the chain, signed, as the function of the given task would have answered it. */
export function chainEvent(task: string, says: Partial<Says> = {}, run: Partial<Run> = {}, cause = requestEvent()) {
  const { lifecycle = 'provision' } = run
  const called = taskCalled(task, lifecycle)
  const all: Says = { fact: called.done, status: 'success', message: `${task} is done`, ...says }
  const of = runOf({ id: runId(cause.source, cause.id), ...run })
  const source = `/drover/${called.by}`
  return toReply({ event: cause, lifecycle: lifecycleOf(lifecycle), task: called, run: of, source }, all, now, keys)
}
