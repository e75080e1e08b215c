import { getEventListeners } from 'node:events'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { DroverError, type Reason } from '../../../shared/errors.ts'
import { type Event, writeEvent } from '../../../shared/event.ts'
import { runId } from '../../../shared/run.ts'
import type { Answer, Wired } from '../../../shared/shell/work.ts'
import { isSigned } from '../../../shared/signature.ts'
import { ignored, notYet, type Outcome, refused, type Step, succeeded } from '../../../shared/step.ts'
import { chainEvent, keys, now, requestEvent } from '../events.ts'
import { shellOf } from '../shells.ts'

setFlagsFromString('--expose_gc')
const collectGarbage = runInNewContext('gc') as () => void

const run = runId('/portal', 'order-1')
const past = { deadline: '2030-01-01T10:29:59.000Z' }
const pastUp = 'the run’s time was up at 2030-01-01T10:29:59.000Z'.replace('’', "'")

const throws = (error: unknown): Step => {
  return async () => {
    throw error
  }
}
const answers =
  (outcome: Outcome): Step =>
  async () =>
    outcome

/** The event that was answered; fails where another answer was given. */
function eventIn(answer: Answer): Event {
  if (!('event' in answer)) throw new Error(`no event but ${JSON.stringify(answer)}`)
  return answer.event
}
const failureOf = () => chainEvent('check', { fact: 'check.failed', status: 'failure', failure })
const failure = { task: 'check', title: 'Check the machine', message: 'Cannot accept VM web-01: no address' }

describe('the shell answers', () => {
  it.each<[string, Outcome, object]>([
    [
      'success with the fact of the task',
      succeeded('named it', { name: 'web-01' }),
      { status: 200, event: { type: 'dev.drover.provision.named', id: `${run}-named`, subject: 'shop/web-01' } },
    ],
    [
      'a refusal with the task’s failure',
      refused('Cannot name it: all are taken'),
      {
        status: 200,
        event: {
          type: 'dev.drover.provision.name.failed',
          data: {
            status: 'failure',
            message: 'Cannot name it: all are taken',
            failure: {
              task: 'name',
              title: 'Generate and reserve the VM name',
              message: 'Cannot name it: all are taken',
            },
            deadline: '2030-01-01T10:45:00.000Z',
          },
        },
      },
    ],
    ['"not yet" with 503', notYet('Still waiting'), { status: 503, message: 'Still waiting' }],
    ['nothing to do with 204', ignored('too late'), { status: 204 }],
    [
      'a stranded run with its terminal event',
      { kind: 'stranded', message: 'a person must look' },
      { status: 200, event: { type: 'dev.drover.provision.stranded', data: { status: 'failure' } } },
    ],
  ])('%s', async (_, outcome, answer) => {
    expect(await shellOf(answers(outcome)).deliver(chainEvent('validate'))).toMatchObject(answer)
  })

  it.each<[Reason, object]>([
    ['refused', { status: 200, event: { type: 'dev.drover.provision.name.failed', data: { message: 'Cannot: x' } } }],
    ['unreadable', { status: 400, message: 'Cannot: x' }],
    ['forged', { status: 403, message: 'Cannot: x' }],
    ['busy', { status: 503, message: 'Cannot: x' }],
    ['broken', { status: 500, message: expect.stringContaining('the log has the cause') }],
  ])('a step that throws %s by its reason', async (reason, answer) => {
    const { deliver, lines } = shellOf(throws(new DroverError(reason, 'Cannot: x')))
    const event = chainEvent('validate')
    const { status } = await deliver(event)
    expect(await deliver(event)).toMatchObject(answer)
    expect(lines.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ status, run: event.extensions['runid'], milliseconds: expect.any(Number) }),
    )
  })

  it.each<[string, unknown]>([
    ['an error of a library', new TypeError('hunter2 is not a function')],
    ['an error with a status for a code', Object.assign(new Error('hunter2'), { code: 422 })],
    ['a broken upstream', new DroverError('broken', 'Cannot reach it', { cause: new Error('token=hunter2') })],
    ['null', null],
    ['text', 'hunter2'],
  ])('500 without the words of %s', async (_, error) => {
    const { deliver, lines } = shellOf(throws(error))
    const answer = await deliver(chainEvent('validate'))
    expect(answer).toEqual({
      status: 500,
      message: 'Cannot go on: something this step needs has failed, the log has the cause',
    })
    expect(lines.join('')).toContain('"level":50')
  })

  it('500 when the function cannot be connected', async () => {
    const { deliver } = shellOf(undefined, {
      wired: async () => {
        throw new Error('no kubeconfig')
      },
    })
    expect(await deliver(chainEvent('validate'))).toMatchObject({ status: 500 })
  })
})

describe('the shell believes', () => {
  it.each<[string, Event, object]>([
    [
      'no event that nobody signed',
      { ...chainEvent('validate'), extensions: { runid: run } },
      {
        status: 403,
        message:
          'Cannot believe the event: it is not signed by Drover, and only a "requested" event may come from outside',
      },
    ],
    ['no event whose data was changed', { ...chainEvent('validate'), data: {} }, { status: 403 }],
    [
      'no event that was moved to another run',
      {
        ...chainEvent('validate'),
        extensions: { ...chainEvent('validate').extensions, runid: '00000000000000000000' },
      },
      { status: 403 },
    ],
    ['no event of another kind', { ...chainEvent('validate'), type: 'dev.drover.provision.named' }, { status: 403 }],
    [
      'no type that the table lacks',
      requestEvent({ type: 'dev.drover.provision.invented' }),
      {
        status: 400,
        message: 'Cannot handle an event of type "dev.drover.provision.invented": no lifecycle has it',
      },
    ],
    ['no type of somebody else', requestEvent({ type: 'com.example.requested' }), { status: 400 }],
    [
      'no progress',
      chainEvent('check', { fact: 'check.progressing' }),
      {
        status: 400,
        message: 'Cannot handle an event of type "dev.drover.provision.check.progressing": nothing follows from it',
      },
    ],
    [
      'no request that has gone round',
      requestEvent({ extensions: { hops: '100' } }),
      { status: 400, message: 'Cannot handle the event: its run has gone through too many hops' },
    ],
    ['no hops that are no number', requestEvent({ extensions: { hops: 'many' } }), { status: 400 }],
    [
      'no chain event without data',
      { ...chainEvent('validate'), data: undefined, dataProblem: 'the data is not JSON: x' },
      { status: 400, message: 'Cannot read the event: the data is not JSON: x' },
    ],
  ])('%s', async (_, event, answer) => {
    expect(await shellOf().deliver(event)).toMatchObject(answer)
  })

  it('only events of its own function', async () => {
    const { deliver } = shellOf(undefined, { name: 'place' })
    expect(await deliver(chainEvent('validate'))).toEqual({
      status: 400,
      message: 'Cannot handle an event of type "dev.drover.provision.validated" in "place": it is for "allocate"',
    })
  })

  it('an event signed by an older key, and signs with the newest', async () => {
    const rotated = [{ id: 'k2', secret: 'a newer secret of the tests' }, ...keys]
    const answer = await shellOf(undefined, { keys: () => rotated }).deliver(chainEvent('validate'))
    expect(eventIn(answer).extensions['signature']).toMatch(/^k2\./)
  })
})

describe('the shell refuses a request', () => {
  it.each<[string, Event, string]>([
    [
      'that claims a run id',
      requestEvent({ extensions: { runid: 'cafe' } }),
      `Cannot take the request: its runid is "cafe", but a run's id follows from the event's source and id and is "${run}" here; leave the attribute out`,
    ],
    [
      'whose data cannot be read',
      requestEvent({ data: undefined, dataProblem: 'the data is text/plain, wanted application/json' }),
      'Cannot read the request: the data is text/plain, wanted application/json',
    ],
  ])('%s, with an event', async (_, event, message) => {
    const answer = await shellOf().deliver(event)
    expect(eventIn(answer)).toMatchObject({ type: 'dev.drover.provision.validate.failed', data: { message } })
  })

  it('not when it claims the run id that it has', async () => {
    const answer = await shellOf().deliver(requestEvent({ extensions: { runid: run } }))
    expect(eventIn(answer).type).toBe('dev.drover.provision.validated')
  })
})

describe('at a run’s deadline', () => {
  it.each<[string, Step, string]>([
    ['who waits', answers(notYet('Still waiting for VM web-01')), `Still waiting for VM web-01; ${pastUp}`],
    [
      'whose upstream is broken',
      throws(new DroverError('broken', 'Cannot reach the CMDB', { cause: new Error('hunter2') })),
      `Cannot reach the CMDB; ${pastUp}`,
    ],
    [
      'who is told to come later',
      throws(new DroverError('busy', 'Cannot push: locked')),
      `Cannot push: locked; ${pastUp}`,
    ],
    [
      'who meets an error of a library',
      throws(new Error('hunter2')),
      `Cannot generate and reserve the VM name: something this step needs has failed; ${pastUp}`,
    ],
  ])('%s fails the run', async (_, step, message) => {
    const { deliver, lines } = shellOf(step)
    const answer = await deliver(chainEvent('validate', {}, past))
    expect(eventIn(answer)).toMatchObject({
      type: 'dev.drover.provision.name.failed',
      data: { message, deadline: '2030-01-01T10:45:00.000Z', failure: { task: 'name' } },
    })
    expect(JSON.stringify(answer)).not.toContain('hunter2')
    expect(lines.join('')).toContain('time was up')
  })

  it.each<[string, Step]>([
    ['still waits', answers(notYet('site-a still has VirtualMachine of web-01'))],
    ['is broken', throws(new DroverError('broken', 'Cannot read a cluster'))],
    ['is refused', throws(new DroverError('refused', 'Cannot read the record of run x: bad indentation'))],
  ])('an undo that %s strands', async (_, step) => {
    const event = chainEvent('check', { fact: 'check.failed', status: 'failure', failure, ...past })
    const answer = await shellOf(step).deliver(event)
    expect(eventIn(answer)).toMatchObject({
      type: 'dev.drover.provision.stranded',
      data: { status: 'failure', failure },
    })
  })

  it('an undo that comes too late says that the run is complete, and no failure', async () => {
    const step: Step = async () => ({ kind: 'succeeded', message: 'It is complete', end: 'completed' })
    const { type, data } = eventIn(await shellOf(step).deliver(failureOf()))
    expect(type).toBe('dev.drover.provision.completed')
    expect(data).toMatchObject({ status: 'success', message: 'It is complete' })
    expect(data).not.toHaveProperty('failure')
  })

  it('an undo that is refused strands even before', async () => {
    const step = throws(new DroverError('refused', 'Cannot read the record of run x: bad indentation'))
    expect(eventIn(await shellOf(step).deliver(failureOf())).type).toBe('dev.drover.provision.stranded')
  })

  it('a function that cannot be connected fails the run', async () => {
    const { deliver } = shellOf(undefined, {
      wired: async () => {
        throw new Error('no kubeconfig')
      },
    })
    expect(eventIn(await deliver(chainEvent('validate', {}, past))).type).toBe('dev.drover.provision.name.failed')
  })

  it('success still counts', async () => {
    expect(eventIn(await shellOf().deliver(chainEvent('validate', {}, past))).type).toBe('dev.drover.provision.named')
  })

  it('feedback goes on: the run has ended already', async () => {
    const answer = await shellOf(throws(new Error('down'))).deliver(chainEvent('complete', {}, past))
    expect(answer).toMatchObject({ status: 500 })
  })

  it('nobody waits any more', async () => {
    const step: Step = async (_, { patience }) => {
      if (!patience.aborted) await new Promise((done) => patience.addEventListener('abort', done))
      return notYet('Still waiting')
    }
    const { deliver } = shellOf(step, { patienceMilliseconds: 60_000 })
    expect(eventIn(await deliver(chainEvent('validate', {}, past))).type).toBe('dev.drover.provision.name.failed')
  })
})

describe('patience', () => {
  /** Listens only after a while, in which memory is cleaned up: as who asks Argo CD first, and watches then. */
  const listensLate: Step = async (_, { patience }) => {
    for (let at = 0; at < 3; at += 1) {
      collectGarbage()
      await sleep(100)
    }
    const ended = new Promise((done) => patience.addEventListener('abort', () => done(true)))
    // On a busy machine it may have ended before anybody listens.
    if (patience.aborted) return notYet('Still waiting')
    const isLate = sleep(1_000, false, { ref: false })
    for (let at = 0; at < 3; at += 1) {
      collectGarbage()
      await sleep(50)
    }
    return (await Promise.race([ended, isLate])) ? notYet('Still waiting') : refused('It never ended')
  }

  it('ends for who listens late', async () => {
    const { deliver } = shellOf(listensLate, { patienceMilliseconds: 500, closing: new AbortController().signal })
    expect(await deliver(chainEvent('validate'))).toEqual({ status: 503, message: 'Still waiting' })
  })

  it('is whole for an undo whose event has waited for longer than its time: its record may say another', async () => {
    const waits: Step = async (_, { patience }) => {
      const began = performance.now()
      await new Promise((done) => patience.addEventListener('abort', done))
      return notYet(performance.now() - began > 900 ? 'It was whole' : 'It was cut')
    }
    const strand = async () => notYet('It goes on')
    const lookFor = async (event: Event) => {
      const heard: string[] = []
      const step: Step = async (run, here) => {
        const outcome = await waits(run, here)
        heard.push(outcome.message)
        return outcome
      }
      const wired = async () => ({ step, strand, post: async () => undefined })
      const answer = await shellOf(undefined, { wired, patienceMilliseconds: 1_000 }).deliver(event)
      return [...heard, answer]
    }
    const late = chainEvent('check', { fact: 'check.failed', status: 'failure', failure }, past)
    expect(await lookFor(late)).toEqual(['It was whole', { status: 503, message: 'It goes on' }])
    expect(await lookFor(chainEvent('validate', {}, past))).toMatchObject(['It was cut', { status: 200 }])
  })

  it('ends with the instance', async () => {
    const closing = new AbortController()
    const { deliver } = shellOf(listensLate, { patienceMilliseconds: 60_000, closing: closing.signal })
    setTimeout(() => closing.abort(), 500)
    expect(await deliver(chainEvent('validate'))).toEqual({ status: 503, message: 'Still waiting' })
  })

  it('is none in an instance that is ending', async () => {
    const looks: Step = async (_, { patience }) => notYet(String(patience.aborted))
    const { deliver } = shellOf(looks, { closing: AbortSignal.abort() })
    expect(await deliver(chainEvent('validate'))).toEqual({ status: 503, message: 'true' })
  })

  it('leaves no listener behind', async () => {
    const { signal } = new AbortController()
    const { deliver } = shellOf(answers(succeeded('done')), { closing: signal })
    for (let at = 0; at < 3; at += 1) await deliver(chainEvent('validate'))
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })
})

describe('a reply', () => {
  const cause = requestEvent({
    extensions: {
      correlationid: 'order-1:abc=:0',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    },
  })

  it('is signed, correlates, and counts its hops', async () => {
    const event = eventIn(await shellOf().deliver(cause))
    expect(isSigned(event, keys)).toBe(true)
    expect(event.extensions).toMatchObject({
      runid: run,
      causationid: 'order-1',
      partitionkey: run,
      hops: '1',
      correlationid: 'order-1:abc=:0',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    })
    expect(event.extensions).not.toHaveProperty('replyid')
  })

  it.each(['complete', 'undo'])('has a replyid when %s ends the run', async (task) => {
    const marks = { correlationid: 'order-1:abc=:0' }
    const failed = { fact: 'check.failed', status: 'failure', failure } as const
    const event = chainEvent('check', task === 'undo' ? failed : {}, { marks })
    expect(eventIn(await shellOf().deliver(event)).extensions['replyid']).toBe('order-1:abc=:0')
  })

  it('is the same at the second delivery', async () => {
    const later = shellOf(undefined, { now: () => new Date('2030-01-01T10:31:00.000Z') })
    const first = eventIn(await shellOf().deliver(chainEvent('validate')))
    const second = eventIn(await later.deliver(chainEvent('validate')))
    expect({ ...second, time: first.time }).toEqual(first)
  })

  it('holds ASCII alone in its attributes, whatever came', async () => {
    const odd = requestEvent({
      id: `bestellung-ä-😀-${'x'.repeat(4000)}`,
      extensions: { correlationid: 'ü', traceparent: 'no trace' },
      data: { namespace: 'schön', name: 'é' },
    })
    const { headers } = writeEvent(eventIn(await shellOf().deliver(odd)))
    for (const [name, value] of Object.entries(headers)) expect(`${name}: ${value}`).toMatch(/^[\x20-\x7e]{1,300}$/)
    expect(headers).not.toHaveProperty('ce-traceparent')
    expect(headers).not.toHaveProperty('ce-correlationid')
  })

  it('of an undo says that the run failed, however well the undo went', async () => {
    const event = eventIn(await shellOf(answers(succeeded('All is back'))).deliver(failureOf()))
    expect(event).toMatchObject({ type: 'dev.drover.provision.rolledback', data: { status: 'failure' } })
  })

  it.each<[string, Outcome]>([
    ['is refused', refused('Cannot: full', { cluster: 'site-b' })],
    ['strands', { kind: 'stranded', message: 'Look', facts: { cluster: 'site-b' } }],
  ])('to a step that %s has what it found out all the same', async (_, outcome) => {
    const event = eventIn(
      await shellOf(answers(outcome)).deliver(chainEvent('validate', { facts: { name: 'web-01' } })),
    )
    expect(event.data).toMatchObject({ facts: { name: 'web-01', cluster: 'site-b' } })
  })

  it('holds no definition once it is in Git for good', async () => {
    const facts = { name: 'web-01', definition: {} as never }
    const event = eventIn(await shellOf(answers(succeeded('closed', facts))).deliver(chainEvent('check', { facts })))
    expect(event.data).toMatchObject({ facts: { name: 'web-01' } })
    expect(event.data).not.toHaveProperty('facts.definition')
  })
})

describe('progress', () => {
  const tells =
    (...messages: string[]): Step =>
    async (_, { progress }) => {
      for (const message of messages) await progress(message)
      return succeeded('done')
    }
  const placing = () => chainEvent('address')

  it('is posted once per message, each as an event of its own, signed', async () => {
    const { deliver, posted } = shellOf(tells('waiting', 'waiting', 'starting', 'waiting'))
    await deliver(placing())
    expect(posted.map(({ type, data }) => [type, (data as { message: string }).message])).toEqual([
      ['dev.drover.provision.place.progressing', 'waiting'],
      ['dev.drover.provision.place.progressing', 'starting'],
      ['dev.drover.provision.place.progressing', 'waiting'],
    ])
    expect(new Set(posted.map(({ id }) => id)).size).toBe(2)
    expect(posted.every((event) => isSigned(event, keys))).toBe(true)
  })

  it('does not hold up the work, and is out before the answer that it leads to', async () => {
    const order: string[] = []
    const step: Step = async (_, { progress }) => {
      for (const message of ['waiting', 'starting']) await progress(message)
      order.push('at work')
      return succeeded('done')
    }
    const post = async ({ data }: Event) => {
      await setImmediate()
      order.push((data as { message: string }).message)
    }
    await shellOf(step, { wired: async () => ({ step, post }) }).deliver(placing())
    expect([...order, 'answered']).toEqual(['at work', 'waiting', 'starting', 'answered'])
  })

  it.each<[string, () => Promise<void>]>([
    ['cannot be reached', () => Promise.reject(new Error('refused'))],
    ['never answers', () => new Promise(() => undefined)],
  ])('does not stop the work when the Broker %s', async (_, post) => {
    const step = tells('waiting')
    const { deliver } = shellOf(step, { wired: async () => ({ step, post }) })
    expect(await deliver(placing())).toMatchObject({ status: 200 })
  })

  it('is logged by its task, and so is why the Broker could not be told', async () => {
    const step = tells('waiting')
    const post = () => Promise.reject(new Error('the Broker is away'))
    const { deliver, lines } = shellOf(step, { wired: async () => ({ step, post }) })
    await deliver(placing())
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ level: 30, step: 'place', msg: 'waiting' }),
      expect.objectContaining({
        level: 40,
        msg: 'Cannot tell progress',
        err: expect.objectContaining({ message: 'the Broker is away' }),
      }),
      expect.objectContaining({ outcome: 'succeeded' }),
    ])
  })

  it('is only logged where there is no Broker', async () => {
    const step = tells('waiting')
    const { deliver, lines } = shellOf(step, { wired: async () => ({ step, post: undefined }) })
    expect(await deliver(placing())).toMatchObject({ status: 200 })
    expect(lines.join('')).toContain('waiting')
  })
})

describe('a dead letter', () => {
  const dead = (event: Event, code?: string, words = ''): Event => ({
    ...event,
    extensions: {
      ...event.extensions,
      knativeerrordest: 'http://place.drover',
      ...(code ? { knativeerrorcode: code, knativeerrordata: Buffer.from(words).toString('base64') } : {}),
    },
  })

  it.each<[string, Event, string, string]>([
    [
      'request fails at its first task',
      dead(requestEvent(), '500', 'Cannot go on: something this step needs has failed, the log has the cause'),
      'dev.drover.provision.validate.failed',
      'Cannot validate parameters: the Broker gave up after the answer 500: Cannot go on: something this step needs has failed, the log has the cause',
    ],
    [
      'step fails at its task',
      dead(chainEvent('address'), '503', '<html>token=hunter2</html>'),
      'dev.drover.provision.place.failed',
      'Cannot identify the cluster: the Broker gave up after the answer 503',
    ],
    [
      'step that was never answered fails too',
      dead(chainEvent('address')),
      'dev.drover.provision.place.failed',
      'Cannot identify the cluster: the Broker gave up after deliveries that were not answered',
    ],
    [
      'failure strands the run',
      dead(failureOf(), '500', 'Cannot x'),
      'dev.drover.provision.stranded',
      'Cannot undo what the run did: the Broker gave up after the answer 500: Cannot x; a person must look at it',
    ],
    [
      'end of a run fails at its feedback',
      dead(chainEvent('complete'), '500'),
      'dev.drover.provision.notify.failed',
      'Cannot give feedback to the requester: the Broker gave up after the answer 500',
    ],
  ])('%s, by an event that is posted', async (_, event, type, message) => {
    const { bury, posted } = shellOf(undefined, { name: 'recover' })
    expect(await bury(event)).toEqual({ status: 204 })
    expect(posted).toMatchObject([{ type, source: '/drover/recover', data: { message, status: 'failure' } }])
    expect(isSigned(posted[0] as Event, keys)).toBe(true)
    expect(JSON.stringify(posted)).not.toContain('hunter2')
  })

  it.each<[string, Event]>([
    ['is of somebody else', dead(requestEvent({ type: 'com.example.thing' }))],
    ['is forged', dead({ ...chainEvent('address'), data: {} })],
    ['wakes nobody', dead(chainEvent('notify'))],
  ])('that %s is buried', async (_, event) => {
    const { bury, posted } = shellOf(undefined, { name: 'recover' })
    expect(await bury(event)).toEqual({ status: 204 })
    expect(posted).toEqual([])
  })

  it('is given back while the Broker is away', async () => {
    const wired = async () => ({
      step: answers(succeeded('')),
      post: () => Promise.reject(new Error('the Broker is away')),
    })
    expect(await shellOf(undefined, { name: 'recover', wired }).bury(dead(chainEvent('address')))).toMatchObject({
      status: 500,
    })
  })

  it('is given back where there is no Broker', async () => {
    const wired = async () => ({ step: answers(succeeded('')), post: undefined })
    const { bury, lines } = shellOf(undefined, { name: 'recover', wired })
    expect(await bury(dead(chainEvent('address')))).toMatchObject({ status: 500 })
    expect(lines.join('')).toContain('there is no Broker to tell')
  })

  it.each([
    ['a sentence of ours behind other words', 'x Cannot y'],
    ['a sentence of ours that goes on in another line', 'Cannot y\nx'],
  ])('quotes no answer that is %s', async (_, words) => {
    const { bury, posted } = shellOf(undefined, { name: 'recover' })
    await bury(dead(chainEvent('address'), '500', words))
    expect(posted).toMatchObject([
      { data: { message: 'Cannot identify the cluster: the Broker gave up after the answer 500' } },
    ])
  })

  it('says what it was in the log', async () => {
    const { bury, lines } = shellOf(undefined, { name: 'recover' })
    await bury(dead(requestEvent({ type: 'com.example.thing' })))
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      outcome: 'buried',
      msg: 'Buried: a dead letter that is not of our chain',
    })
  })

  describe('of an undo', () => {
    const bury = (strand: NonNullable<Wired['strand']>) => {
      const posted: Event[] = []
      const post = async (event: Event) => void posted.push(event)
      const wired = async () => ({ step: answers(succeeded('')), post, strand })
      const shell = shellOf(undefined, { name: 'recover', wired })
      return shell.bury(dead(failureOf(), '500')).then((answer) => ({ answer, posted, lines: shell.lines }))
    }

    it.each<[string, Outcome | undefined, string[]]>([
      ['strands the run, once that is in Git', undefined, ['dev.drover.provision.stranded']],
      ['says nothing where the run goes on', ignored('It goes on'), []],
      ['says nothing where another delivery will', notYet('It is being closed'), []],
      ['says how the run has ended', succeeded('All is back'), ['dev.drover.provision.rolledback']],
    ])('%s', async (_, noted, types) => {
      const notes: string[] = []
      const { posted } = await bury(async ({ id }, message) => {
        notes.push(`${id}: ${message}`)
        return noted
      })
      expect(posted.map(({ type }) => type)).toEqual(types)
      expect(notes).toEqual([
        `${run}: Cannot undo what the run did: the Broker gave up after the answer 500; a person must look at it`,
      ])
    })

    it('strands the run without a note where Git refuses every push, and says so in the log', async () => {
      const { posted, lines } = await bury(() => Promise.reject(new DroverError('refused', 'the branch is protected')))
      expect(posted).toMatchObject([{ type: 'dev.drover.provision.stranded' }])
      expect(lines.map((line) => JSON.parse(line))).toContainEqual(
        expect.objectContaining({
          ...{ level: 50, run, msg: 'Cannot note in Git that the run is stranded' },
          err: expect.objectContaining({ message: 'the branch is protected' }),
        }),
      )
    })

    it.each([
      ['Git is away', new DroverError('busy', 'Git is away'), 503],
      ['of a bug', new Error('bug'), 500],
    ])('is given back where there can be no note for %s', async (_, error, status) => {
      const { answer, posted } = await bury(() => Promise.reject(error))
      expect(answer.status).toBe(status)
      expect(posted).toEqual([])
    })
  })

  it('gives an undo its own time', async () => {
    const { bury, posted } = shellOf(undefined, { name: 'recover' })
    await bury(dead(chainEvent('address', {}, past)))
    expect(posted).toMatchObject([{ data: { deadline: new Date(now.getTime() + 15 * 60_000).toISOString() } }])
  })
})
