import { describe, expect, it } from 'vitest'
import { readPolicy } from '../local/broker/check-delivery.ts'
import { matches, type TriggerFilters } from '../local/broker/filter.ts'
import { readManifests } from '../local/broker/load.ts'
import { eventTypes } from '../shared/event-types.ts'
import { type FunctionName, functionNames } from '../shared/lifecycles.ts'

interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace: string; annotations?: Record<string, string> }
  spec: TriggerFilters & {
    broker: string
    subscriber: { ref: { apiVersion: string; kind: string; name: string } }
    delivery: { retry: number; backoffPolicy: string; backoffDelay: string; timeout: string; deadLetterSink?: object }
  }
}

const read = (folder: string) => readManifests(new URL(`../${folder}`, import.meta.url).pathname) as Promise<Manifest[]>
const triggers = await read('triggers')
const broker = (await read('broker')).find(({ kind }) => kind === 'Broker')

const attributes = (type: string) => ({
  specversion: '1.0',
  id: '1',
  source: '/drover/place',
  type,
  subject: 'shop/web-01',
  runid: '0123456789abcdef0123',
})
const wokenBy = (type: string) =>
  triggers.filter(({ spec }) => matches(spec, attributes(type))).map(({ spec }) => spec.subscriber.ref.name)

const deadLetterSink = { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'recover' }, uri: '/dead' }

describe('the Triggers', () => {
  it.each(eventTypes().map(({ type, wakes }) => [type, wakes] as const))('bring %s to %s alone', (type, wakes) => {
    expect(wokenBy(type)).toEqual(wakes === undefined ? [] : [wakes])
  })

  it.each([
    ['/apis/v1/namespaces/drover/pingsources/sweep', ['recover']],
    ['/apis/v1/namespaces/drover/pingsources/other', []],
  ])('bring what the PingSource at %s sends to %j: it cannot choose the type', (source, woken) => {
    const ping = { ...attributes('dev.knative.sources.ping'), source }
    expect(triggers.filter(({ spec }) => matches(spec, ping)).map(({ metadata }) => metadata.name)).toEqual(woken)
  })

  it('bring progress and the last word of a run to nobody', () => {
    const silent = eventTypes().filter(({ wakes }) => wakes === undefined)
    expect(silent.every(({ type }) => /\.(progressing|notified)$/.test(type))).toBe(true)
    const ofProvision = silent.filter(({ lifecycle }) => lifecycle === 'provision')
    expect(ofProvision.map(({ type }) => type.replace('dev.drover.', ''))).toEqual([
      'provision.place.progressing',
      'provision.create.verify.progressing',
      'provision.check.progressing',
      'provision.notified',
      'provision.undo.progressing',
    ])
  })

  it.each([
    'com.example.requested',
    'dev.drover.provision',
    'dev.drovers.provision.requested',
    'x.dev.drover.provision.requested',
    'dev.drover.provision.requested.twice',
  ])('leave %s of a stranger alone', (type) => {
    expect(wokenBy(type)).toEqual([])
  })

  it.each(['locate', 'allocate', 'place', 'build', 'commit', 'recover'] as const)(
    'bring events to %s again for longer than a run lasts: Git may be away, and the run gives up by itself',
    (name) => {
      const { spec } = triggers.find(({ metadata }) => metadata.name === name) ?? expect.fail()
      const { retry, pause } = readPolicy(spec.delivery, () => expect.fail())
      const pauses = Array.from({ length: retry }, (_, attempt) => pause(attempt))
      const lasts = 30 * 60_000
      expect(pauses.reduce((sum, one) => sum + one, 0)).toBeGreaterThan(lasts)
      expect(Math.max(...pauses)).toBeLessThan(lasts)
    },
  )

  it('bring a request to validate again for as long as Git is away for a moment, and no longer: it has no deadline yet', () => {
    const { spec } = triggers.find(({ metadata }) => metadata.name === 'validate') ?? expect.fail()
    const { retry, pause } = readPolicy(spec.delivery, () => expect.fail())
    const pauses = Array.from({ length: retry }, (_, attempt) => pause(attempt))
    const seconds = pauses.reduce((sum, one) => sum + one, 0) / 1000
    expect(seconds).toBeGreaterThan(30)
    expect(seconds).toBeLessThan(120)
  })

  it('are one for each function', () => {
    const names = triggers.map(({ metadata }) => metadata.name as FunctionName)
    expect(names).toEqual([...functionNames].sort())
  })

  it.each(triggers.map((trigger) => [trigger.metadata.name, trigger] as const))(
    '%s has a subscriber of its name, the empty filter that `func` asks for, and a whole delivery',
    (name, { apiVersion, kind, metadata, spec }) => {
      expect({ apiVersion, kind, namespace: metadata.namespace }).toEqual({
        apiVersion: 'eventing.knative.dev/v1',
        kind: 'Trigger',
        namespace: broker?.metadata.namespace,
      })
      expect(spec.broker).toBe(broker?.metadata.name)
      expect(spec.filter).toEqual({})
      expect(spec.subscriber).toEqual({ ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name } })
      // A Trigger's delivery takes the place of the Broker's as a whole; on channels but for the dead letter sink, on Kafka with it.
      expect(spec.delivery).toEqual({
        retry: expect.any(Number),
        backoffPolicy: expect.stringMatching(/^(linear|exponential)$/),
        backoffDelay: expect.stringMatching(/^PT[0-9.]+S$/),
        timeout: expect.stringMatching(/^PT[0-9]+S$/),
        deadLetterSink,
      })
    },
  )

  it.each(functionNames.filter((name) => name !== 'validate' && name !== 'notify'))(
    '%s is asked again for as long as a run may go on: it is the deadline that ends one, not the Broker',
    (name) => {
      const delivery = triggers.find(({ metadata }) => metadata.name === name)?.spec.delivery
      const { retry = 0, backoffPolicy, backoffDelay } = delivery ?? {}
      expect([backoffPolicy, backoffDelay]).toEqual(['linear', 'PT1S'])
      // Of n tries the last waits for n seconds. A request may ask for a day.
      expect((retry * (retry + 1)) / 2).toBeGreaterThan(24 * 3600)
    },
  )

  it.each(['place', 'verify', 'recover', 'register'])('%s waits longer than a delivery’s patience', (name) => {
    const trigger = triggers.find(({ metadata }) => metadata.name === name)
    expect(Number.parseInt(trigger?.spec.delivery.timeout.slice(2) ?? '', 10)).toBeGreaterThan(50)
  })
})

describe('the Broker', () => {
  it('answers at once, and sends what nobody could handle to recover', () => {
    expect(broker?.metadata.annotations).toMatchObject({ 'messaging.knative.dev/async-handler': 'true' })
    expect(broker?.spec.delivery.deadLetterSink).toEqual(deadLetterSink)
  })
})
