import { parse } from 'yaml'
import { functionNames } from '../../shared/lifecycles.ts'
import { type Answer, known, map, missing } from './answer.ts'
import type { Area, Data, List, Named, Names } from './area.ts'
import type { Asker } from './ask.ts'
import { checkReadiness, unreadiness, type WithConditions } from './conditions.ts'
import { type Finding, judge, lacks, ok } from './finding.ts'
import { readVersions } from './knative.ts'
import { isAtLeast } from './version.ts'

/** The Broker: whether Knative can run one of its class, and whether Drover's has what a run needs. */

interface Broker extends Named, WithConditions {
  spec?: { config?: { name?: string; namespace?: string }; delivery?: { deadLetterSink?: unknown } }
}

interface Trigger extends Named, WithConditions {
  spec?: { delivery?: { deadLetterSink?: unknown } }
}

export interface BrokerFacts {
  /** Whether the cluster knows Brokers at all. */
  isServed: boolean
  /** Whether Drover is installed. */
  isInstalled: boolean
  broker: Answer<Broker>
  /** The Brokers whose data plane is there, by the Service that takes events. */
  classes: string[]
  /** The kind of channel that a channel-based Broker makes, and whether the cluster serves it. */
  channel: Answer<{ kind: string; isServed: boolean }>
  triggers: Answer<Trigger[]>
  /** Of Knative Eventing. */
  versions: Answer<string[]>
}

export const broker: Area<BrokerFacts> = { title: 'The Broker', read, check }

const eventing = 'knative-eventing'
const ingresses = { MTChannelBasedBroker: 'broker-ingress', Kafka: 'kafka-broker-ingress' }
const channelBased = 'MTChannelBasedBroker'
const classAnnotation = 'eventing.knative.dev/broker.class'
const asyncAnnotation = 'messaging.knative.dev/async-handler'

async function read(ask: Asker, { namespace }: Names): Promise<BrokerFacts> {
  const path = `/apis/eventing.knative.dev/v1/namespaces/${namespace}`
  const [group, home, found, triggers, ...services] = await Promise.all([
    ask.get('/apis/eventing.knative.dev/v1'),
    ask.get<Named>(`/api/v1/namespaces/${namespace}`),
    ask.get<Broker>(`${path}/brokers/default`),
    ask.get<List<Trigger>>(`${path}/triggers`),
    ...Object.values(ingresses).map((name) => ask.get<Named>(`/api/v1/namespaces/${eventing}/services/${name}`)),
  ])
  return {
    isServed: group.state !== 'missing',
    isInstalled: home.state === 'found',
    broker: found,
    classes: Object.keys(ingresses).filter((_, at) => services[at]?.state === 'found'),
    channel: await readChannel(ask, known(found)),
    triggers: map(triggers, ({ items }) => items),
    versions: await readVersions(ask, eventing),
  }
}

async function readChannel(ask: Asker, broker: Broker | undefined): Promise<BrokerFacts['channel']> {
  const { name = 'config-br-default-channel', namespace = eventing } = broker?.spec?.config ?? {}
  const config = await ask.get<Data>(`/api/v1/namespaces/${namespace}/configmaps/${name}`)
  const template = known(config)?.data?.['channel-template-spec'] ?? known(config)?.data?.['channelTemplateSpec']
  if (template === undefined) return config.state === 'hidden' ? config : missing
  const { apiVersion, kind } = parse(template) as { apiVersion: string; kind: string }
  const resources = await ask.get<{ resources: { kind: string }[] }>(`/apis/${apiVersion}`)
  const isServed = known(resources)?.resources.some((one) => one.kind === kind) ?? false
  return { state: 'found', value: { kind, isServed } }
}

function check(facts: BrokerFacts, { namespace }: Names): Finding[] {
  const { isServed, isInstalled, broker, classes } = facts
  // That Knative Eventing is missing is said elsewhere.
  if (!isServed) return []
  if (classes.length === 0)
    return [
      lacks(
        `Knative Eventing runs no Broker: namespace ${eventing} has no Service ${Object.values(ingresses).join(' and none ')}`,
        'install its Broker and a channel, or the Kafka Broker: https://knative.dev/docs/install/yaml-install/eventing/install-eventing-with-yaml/',
      ),
    ]
  const there = ok(`Knative runs Brokers of class ${classes.join(', ')}`)
  if (!isInstalled) return [there, ...(classes.includes(channelBased) ? checkChannel(facts) : [])]
  const none = lacks(`Namespace ${namespace} has no Broker default`, 'kubectl apply -k examples/install/hub')
  return [there, ...judge(broker, 'The Broker', none, (one) => [...checkBroker(one, facts), ...checkTriggers(facts)])]
}

function checkBroker(broker: Broker, facts: BrokerFacts): Finding[] {
  const { classes } = facts
  const { annotations = {}, namespace } = broker.metadata
  const name = annotations[classAnnotation] ?? channelBased
  const why = unreadiness(broker)
  const annotate = `kubectl annotate broker default -n ${namespace} ${asyncAnnotation}=true`
  return [
    ...(classes.includes(name)
      ? []
      : [lacks(`The Broker is of class ${name}, which Knative does not run here`, `use one of ${classes.join(', ')}`)]),
    ...(name === channelBased ? checkChannel(facts) : []),
    ...(name !== channelBased || annotations[asyncAnnotation] === 'true'
      ? []
      : [
          lacks(
            `The Broker lacks the annotation ${asyncAnnotation}: it would answer a request only when its whole run has ended`,
            annotate,
          ),
        ]),
    broker.spec?.delivery?.deadLetterSink === undefined
      ? lacks(
          'The Broker has no dead letter sink: a run whose event is lost would end in silence',
          'kubectl apply -k examples/install/hub',
        )
      : ok('The Broker has a dead letter sink'),
    why === undefined
      ? ok('The Broker is Ready')
      : lacks(`The Broker is not Ready: ${why}`, `kubectl describe broker default -n ${namespace}`),
  ]
}

/** Since then a Broker on channels knows the annotation. */
const answersSince = '1.17'

function checkChannel({ channel, versions }: BrokerFacts): Finding[] {
  const old = known(versions)?.find((version) => isAtLeast(version, answersSince) === false)
  const none = lacks(
    `The Broker's ConfigMap (config-br-default-channel in ${eventing} unless said otherwise) says no channel`,
    'install the in-memory channel of Knative Eventing',
  )
  const late = lacks(
    `Knative Eventing ${old} does not know the annotation ${asyncAnnotation}: its Broker would answer a request only when its whole run has ended`,
    `upgrade it to ${answersSince} or newer, or use the Kafka Broker`,
  )
  return [
    ...judge(channel, "The Broker's ConfigMap", none, ({ kind, isServed }) =>
      isServed
        ? ok(`The Broker's channels are of kind ${kind}`)
        : lacks(
            `The Broker's channels are to be of kind ${kind}, which the cluster does not serve`,
            'install that channel',
          ),
    ),
    ...(old === undefined ? [] : [late]),
  ]
}

function checkTriggers({ broker, triggers }: BrokerFacts): Finding[] {
  const todo = 'kubectl apply -k triggers'
  return judge(triggers, 'Triggers', lacks('There are no Triggers', todo), (all) => {
    const absent = functionNames.filter((name) => !all.some(({ metadata }) => metadata.name === name))
    const findings = checkReadiness('Trigger', 'trigger', all)
    if (absent.length > 0) findings.push(lacks(`There is no Trigger for ${absent.join(', ')}`, todo))
    // On channels the Broker's counts.
    const isKafka = known(broker)?.metadata.annotations?.[classAnnotation] === 'Kafka'
    const silent = isKafka ? all.filter(({ spec }) => spec?.delivery?.deadLetterSink === undefined) : []
    if (silent.length > 0)
      findings.push(
        lacks(
          `On Kafka these Triggers have no dead letter sink: ${silent.map(({ metadata }) => metadata.name).join(', ')}`,
          todo,
        ),
      )
    return findings.length > 0 ? findings : ok('Every function has a Trigger that is Ready')
  })
}
