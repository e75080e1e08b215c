import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { type Resolve, toPlans } from '../../../local/broker/check.ts'

const apiVersion = 'eventing.knative.dev/v1'
const broker = (spec: object = {}) => ({ apiVersion, kind: 'Broker', metadata: { name: 'b' }, spec })
const trigger = (spec: object = {}) => ({
  apiVersion,
  kind: 'Trigger',
  metadata: { name: 't' },
  spec: { broker: 'b', subscriber: { uri: 'http://127.0.0.1:1' }, ...spec },
})
const known: Resolve = ({ kind, name }, namespace) =>
  kind === 'Service' && name === 'validate' ? new URL(`http://127.0.0.1:2/${namespace}`) : undefined

describe('toPlans', () => {
  const rows: [string, unknown[], string][] = [
    [
      'an unknown Broker',
      [broker(), trigger({ broker: 'c' })],
      'Trigger "default/t": spec.broker is "c", wanted a Broker of class MTChannelBasedBroker in namespace "default"',
    ],
    [
      'not around nothing',
      [broker(), trigger({ filters: [{ not: {} }] })],
      'Trigger "default/t": spec.filters[0].not is {}, wanted a filter inside',
    ],
    [
      'two dialects in one filter',
      [broker(), trigger({ filters: [{ exact: { a: 'b' }, prefix: { a: 'b' } }] })],
      'Trigger "default/t": spec.filters[0] is {"exact":{"a":"b"},"prefix":{"a":"b"}}, wanted an object with one of exact, prefix, suffix, all, any, not',
    ],
    [
      'a number as a filter',
      [broker(), trigger(parse('filter: { attributes: { hops: 7 } }'))],
      'Trigger "default/t": spec.filter.attributes.hops is 7, wanted text (in YAML: in quotes)',
    ],
    [
      'a bad attribute name',
      [broker(), trigger({ filter: { attributes: { runId: 'a' } } })],
      'Trigger "default/t": spec.filter.attributes is "runId", wanted names of a letter and then letters and digits, a-z, 0-9',
    ],
    [
      'a bad duration',
      [broker({ delivery: { backoffDelay: '200ms' } })],
      'Broker "default/b": spec.delivery.backoffDelay is "200ms", wanted an ISO 8601 duration such as PT0.2S',
    ],
    [
      'a bad back-off policy',
      [broker({ delivery: { backoffPolicy: 'random' } })],
      'Broker "default/b": spec.delivery.backoffPolicy is "random", wanted linear or exponential',
    ],
    [
      'a negative retry',
      [broker({ delivery: { retry: -1 } })],
      'Broker "default/b": spec.delivery.retry is -1, wanted a whole number, 0 or more',
    ],
    [
      'a misspelt field',
      [broker({ delivery: { retries: 3 } })],
      'Broker "default/b": spec.delivery.retries is 3, wanted one of deadLetterSink, retry, backoffPolicy, backoffDelay, timeout, format, retryAfterMax',
    ],
    [
      'a misspelt filter',
      [broker(), trigger({ filtres: [] })],
      'Trigger "default/t": spec.filtres is [], wanted one of broker, filter, filters, subscriber, delivery',
    ],
    [
      'a Service nobody knows',
      [
        broker(),
        trigger({ subscriber: { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'x' } } }),
      ],
      'Trigger "default/t": spec.subscriber.ref is "Service x", wanted something whose address is known here',
    ],
    [
      'no subscriber',
      [broker(), trigger({ subscriber: {} })],
      'Trigger "default/t": spec.subscriber is {}, wanted a ref or a uri',
    ],
    [
      'an address that is not HTTP',
      [broker({ delivery: { deadLetterSink: { uri: 'ftp://a' } } })],
      'Broker "default/b": spec.delivery.deadLetterSink.uri is "ftp://a", wanted an http address',
    ],
    [
      'a Broker twice',
      [broker(), broker()],
      'Broker "default/b": metadata.name is "b", wanted a name that no other Broker has',
    ],
    [
      'another version',
      [{ ...broker(), apiVersion: 'eventing.knative.dev/v1beta1' }],
      'Broker "default/b": apiVersion is "eventing.knative.dev/v1beta1", wanted eventing.knative.dev/v1',
    ],
  ]
  it.each(rows)('refuses %s', (_, manifests, sentence) => {
    expect(() => toPlans(manifests, known)).toThrow(new Error(`Cannot load ${sentence}`))
  })

  const cesql = { cesql: 'TRUE' }
  it.each([
    ['alone', [cesql], 'spec.filters[0].cesql'],
    ['inside of others', [{ exact: { a: 'b' } }, { any: [{ not: cesql }] }], 'spec.filters[1].any[0].not.cesql'],
  ])('refuses a Trigger with CESQL %s, and serves the others when somebody is told', (_, filters, field) => {
    const sentence = `Cannot serve Trigger "default/t": ${field} is CESQL, wanted another dialect, because the local Broker does not know it`
    const manifests = [broker(), trigger({ filters }), { ...trigger(), metadata: { name: 'other' } }]
    expect(() => toPlans(manifests, known)).toThrow(new Error(sentence))
    const told: string[] = []
    const [plan] = toPlans(manifests, known, (refused) => told.push(refused))
    expect(told).toEqual([sentence])
    expect(plan?.routes.map(({ name }) => name)).toEqual(['other'])
  })

  it('names all that is wrong at once', () => {
    const manifests = [broker({ delivery: { retry: 'many' } }), trigger({ broker: 'c', subscriber: {} })]
    expect(() => toPlans(manifests, known)).toThrow(/retry.*spec\.broker.*spec\.subscriber/s)
  })

  it('passes over other kinds and Brokers of another class', () => {
    const kafka = {
      ...broker(),
      metadata: { name: 'k', annotations: { 'eventing.knative.dev/broker.class': 'Kafka' } },
    }
    const plans = toPlans([{ apiVersion: 'v1', kind: 'ConfigMap' }, kafka, broker()], known)
    expect(plans.map(({ name }) => name)).toEqual(['b'])
  })

  it('finds a Service by its reference, in the namespace of the Trigger', () => {
    const ref = { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'validate' }
    const [plan] = toPlans([broker(), trigger({ subscriber: { ref, uri: '/sub' } })], known)
    expect(plan?.routes[0]?.subscriber).toBe('http://127.0.0.1:2/sub')
  })

  it('lets any delivery of a Trigger take away the retries of the Broker, and leaves its dead letter sink', () => {
    const delivery = { retry: 3, deadLetterSink: { uri: 'http://127.0.0.1:3' } }
    const [plan] = toPlans([broker({ delivery }), trigger({ delivery: {} })], known)
    expect(plan?.routes[0]).toMatchObject({ policy: { retry: 0 }, deadLetterSink: 'http://127.0.0.1:3' })
  })
})
