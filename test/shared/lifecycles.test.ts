import { describe, expect, it } from 'vitest'
import { eventType, eventTypes, isTick, parseEventType, sweep, taskFor } from '../../shared/event-types.ts'
import { functionNames, lifecycles, undo } from '../../shared/lifecycles.ts'

describe('the table', () => {
  it('has the chain of provision, each task waking the next', () => {
    const chain: string[] = []
    for (let fact = 'requested'; ; ) {
      const found = taskFor(eventType('provision', fact))
      if (!found) break
      chain.push(`${found.task.name} by ${found.task.by}`)
      fact = found.task.done
    }
    expect(chain).toEqual([
      'validate by validate',
      'name by allocate',
      'address by allocate',
      'place by place',
      'plan by register',
      'customize by build',
      'create.build by build',
      'create.commit by commit',
      'create.verify by verify',
      'operate by register',
      'check by verify',
      'complete by commit',
      'notify by notify',
    ])
  })

  it.each(lifecycles.flatMap(({ name, tasks }) => tasks.map((task) => [name, task.name] as const)))(
    'undoes a run of %s that failed at %s',
    (lifecycle, task) => {
      expect(taskFor(eventType(lifecycle, `${task}.failed`))?.task).toBe(undo)
    },
  )

  it.each(['rolledback', 'stranded', 'completed'])('tells the requester of a run that is %s', (fact) => {
    expect(taskFor(eventType('provision', fact))?.task.by).toBe('notify')
  })

  it.each([
    'dev.drover.provision.notified',
    'dev.drover.provision.check.progressing',
    'dev.drover.provision.undo.failed',
    'dev.drover.provision.invented.failed',
    'dev.drover.provision.',
    'dev.drover.provisional.requested',
    'dev.drover.constructor.requested',
    'requested',
    '',
  ])('starts nothing for %s', (type) => {
    expect(taskFor(type)).toBeUndefined()
  })

  it('has each event type once, with short names in lower case', () => {
    const types = eventTypes().map(({ type }) => type)
    expect(new Set(types).size).toBe(types.length)
    for (const type of types) expect(type).toMatch(/^dev\.drover\.[a-z-]+(\.[a-z]+){1,3}$/)
  })

  it('has work for every function, and success and failure for every task', () => {
    expect(new Set(eventTypes().map(({ wakes }) => wakes))).toEqual(new Set([...functionNames, undefined]))
    for (const { lifecycle, task } of lifecycles.flatMap((one) =>
      [...one.tasks, undo].map((task) => ({ lifecycle: one.name, task })),
    )) {
      const statuses = eventTypes().filter((row) => row.lifecycle === lifecycle && row.task?.name === task.name)
      expect(statuses.map(({ status }) => status)).toEqual([
        ...('waits' in task ? ['progress'] : []),
        'success',
        'failure',
      ])
    }
  })

  it('has one type more, the tick, which is of no lifecycle and starts no run', () => {
    expect(eventTypes().filter(({ lifecycle }) => lifecycle === undefined)).toEqual([
      { type: sweep.type, lifecycle: undefined, task: undefined, status: 'tick', wakes: 'recover' },
    ])
    expect(parseEventType(sweep.type)).toBeUndefined()
    expect([sweep.type, 'dev.knative.sources.ping', 'dev.drover.provision.requested'].map(isTick)).toEqual([
      true,
      true,
      false,
    ])
  })

  it('reads a type into its lifecycle and fact', () => {
    const parsed = parseEventType('dev.drover.provision.create.committed')
    expect([parsed?.lifecycle.name, parsed?.fact]).toEqual(['provision', 'create.committed'])
  })
})
