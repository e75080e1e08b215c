import { describe, expect, it } from 'vitest'
import { functionNames } from '../../shared/lifecycles.ts'
import { kustomize } from './kustomize.ts'
import { find } from './manifest.ts'
import { posters } from './posters.ts'

const brokerOf = (folder: string) => find(kustomize(folder), 'Broker', 'default')
const triggers = kustomize('triggers')
const order = 'kafka.eventing.knative.dev/delivery.order'

describe('the Broker on Kafka', () => {
  it('is the same but for its class and its channel', () => {
    const [usual, kafka] = [brokerOf('broker'), brokerOf('test/broker-yaml/on-kafka')]
    expect(kafka.metadata.annotations).toEqual({ 'eventing.knative.dev/broker.class': 'Kafka' })
    expect(usual.metadata.annotations).toMatchObject({ 'messaging.knative.dev/async-handler': 'true' })
    expect(kafka.spec.delivery).toEqual(usual.spec.delivery)
    const { kind, name, namespace } = kafka.spec.config
    const config = find(kustomize('test/broker-yaml/on-kafka'), kind, name)
    expect(config.metadata.namespace).toBe(namespace)
    expect(Object.keys(config.data)).toEqual([
      'bootstrap.servers',
      'default.topic.partitions',
      'default.topic.replication.factor',
    ])
  })

  // Ordered, one event that waits holds up all machines of its partition.
  it.each(functionNames)('keeps the order of what it brings to %s only where that counts', (name) => {
    expect(find(triggers, 'Trigger', name).metadata.annotations?.[order]).toBe(
      name === 'register' ? 'ordered' : 'unordered',
    )
  })
})

describe('the Triggers', () => {
  it('carry the label by which Knative finds them when their Broker changes', () => {
    for (const { metadata, spec } of triggers)
      expect(metadata.labels).toMatchObject({ 'eventing.knative.dev/broker': spec.broker })
  })
})

describe('who may post, where the Broker asks', () => {
  const policies = kustomize('test/broker-yaml/with-oidc').filter(({ kind }) => kind === 'EventPolicy')
  const account = (name: string) => `system:serviceaccount:drover:${name}`
  const from = (name: string) =>
    find(policies, 'EventPolicy', name)
      .spec.from.map(({ sub }) => sub)
      .sort()

  it('is said for the Broker alone', () => {
    const broker = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default' }
    expect(policies.map(({ spec }) => spec.to)).toEqual(policies.map(() => [{ ref: broker }]))
  })

  it('facts come from Triggers, and from the functions that tell progress', () => {
    const byTriggers = functionNames.map((name) => account(`${name}-oidc-eventing.knative.dev-trigger`))
    expect(from('facts')).toEqual([...byTriggers, ...posters.map(account)].sort())
  })

  it('requests come from no function, the tick from the PingSource', () => {
    for (const name of functionNames) expect(from('requests').join()).not.toContain(account(name))
    expect(from('sweep')).toEqual([account('sweep-oidc-sources.knative.dev-pingsource')])
  })

  it('RequestReply is not there, for it cannot say who it is', () => {
    expect(kustomize('test/broker-yaml/with-oidc').map(({ kind }) => kind)).not.toContain('RequestReply')
    expect(kustomize('broker').map(({ kind }) => kind)).not.toContain('EventPolicy')
  })
})
