import { isDict } from '../../shared/dict.ts'
import { readPolicy } from './check-delivery.ts'
import { findCesql, readFilters } from './check-filters.ts'
import { type Complain, type Fields, readFields, refuseOthers, toFields } from './fields.ts'
import type { BrokerPlan, Policy } from './plan.ts'

/** What a Trigger may name instead of a URI. */
export interface Reference {
  apiVersion: string
  kind: string
  name: string
}

/** Where an object is reached; undefined when nobody knows. */
export type Resolve = (reference: Reference, namespace: string) => URL | undefined

const served = 'eventing.knative.dev/v1'
const brokerClass = 'MTChannelBasedBroker'

interface Ways {
  problem: (sentence: string) => void
  refuse: Refuse
  resolve: Resolve
}

interface Named {
  title: string
  namespace: string
  name: string
  spec: Fields
  annotations: Fields
  complain: Complain
  refuse: Refuse
  resolve: Resolve
}

/** A Broker as its Triggers see it. */
interface Host {
  plan: BrokerPlan
  policy: Policy
  deadLetterSink: string | undefined
}

/** Told of an object that is left out; without it such an object is an error like others. */
export type Refuse = (sentence: string) => void

/** The Brokers, with their Triggers, of Kubernetes objects. Throws one error that names all that is wrong with them. */
export function toPlans(manifests: readonly unknown[], resolve: Resolve, refuse?: Refuse): BrokerPlan[] {
  const problems: string[] = []
  const ways: Ways = {
    problem: (sentence) => problems.push(sentence),
    resolve,
    refuse: refuse ?? ((sentence) => problems.push(sentence)),
  }
  const hosts = new Map<string, Host>()
  const named = (kind: string) =>
    manifests.filter((object) => isKind(object, kind)).map((object) => toNamed(object, kind, ways))
  for (const broker of named('Broker').filter(isOurs)) addBroker(broker, hosts)
  for (const trigger of named('Trigger').filter((trigger) => !isRefused(trigger))) addTrigger(trigger, hosts)
  if (problems.length > 0) throw new Error(problems.join('\n'))
  return [...hosts.values()].map(({ plan }) => plan)
}

/** CESQL is no fault of the Trigger but a limit of this Broker. */
function isRefused({ title, spec, refuse }: Named): boolean {
  const cesql = findCesql(spec['filters'])
  if (cesql)
    refuse(
      `Cannot serve ${title}: ${cesql} is CESQL, wanted another dialect, because the local Broker does not know it`,
    )
  return cesql !== undefined
}

function isKind(object: unknown, kind: string): object is Fields {
  return isDict(object) && object['kind'] === kind && String(object['apiVersion']).startsWith('eventing.knative.dev/')
}

function toNamed(object: Fields, kind: string, { problem, refuse, resolve }: Ways): Named {
  const metadata = toFields(object['metadata'])
  const name = String(metadata['name'] ?? '')
  const namespace = String(metadata['namespace'] ?? 'default')
  const title = `${kind} "${namespace}/${name}"`
  const complain: Complain = (field, is, wanted) =>
    problem(`Cannot load ${title}: ${field} is ${JSON.stringify(is) ?? 'missing'}, wanted ${wanted}`)
  if (name === '') complain('metadata.name', metadata['name'], 'a name')
  if (object['apiVersion'] !== served) complain('apiVersion', object['apiVersion'], served)
  const annotations = toFields(metadata['annotations'])
  return { title, namespace, name, spec: toFields(object['spec']), annotations, complain, refuse, resolve }
}

/** A Broker of another class is somebody else's, as in a cluster. */
function isOurs({ annotations }: Named): boolean {
  return (annotations['eventing.knative.dev/broker.class'] ?? brokerClass) === brokerClass
}

function addBroker(broker: Named, hosts: Map<string, Host>): void {
  const { namespace, name, spec, annotations, complain } = broker
  refuseOthers(spec, ['config', 'delivery'], 'spec', complain)
  if (hosts.has(`${namespace}/${name}`)) complain('metadata.name', name, 'a name that no other Broker has')
  const isAsync = String(annotations['messaging.knative.dev/async-handler']) === 'true'
  const delivery = readFields(spec['delivery'], 'spec.delivery', complain) ?? {}
  hosts.set(`${namespace}/${name}`, {
    plan: { namespace, name, isAsync, routes: [] },
    policy: readPolicy(delivery, complain),
    deadLetterSink: readSink(delivery, broker),
  })
}

function addTrigger(trigger: Named, hosts: Map<string, Host>): void {
  const { namespace, name, spec, complain } = trigger
  refuseOthers(spec, ['broker', 'filter', 'filters', 'subscriber', 'delivery'], 'spec', complain)
  const host = hosts.get(`${namespace}/${spec['broker']}`)
  if (!host) complain('spec.broker', spec['broker'], `a Broker of class ${brokerClass} in namespace "${namespace}"`)
  const routes = host?.plan.routes ?? []
  if (routes.some((route) => route.name === name)) complain('metadata.name', name, 'a name that no other Trigger has')
  const delivery = readFields(spec['delivery'], 'spec.delivery', complain)
  // Any delivery, even an empty one, takes away the Broker's retries and timeout, yet not its dead letter sink.
  const policy = readPolicy(delivery ?? {}, complain)
  routes.push({
    name,
    filters: readFilters(spec, complain),
    subscriber: readDestination(spec['subscriber'], 'spec.subscriber', trigger),
    deadLetterSink: readSink(delivery ?? {}, trigger) ?? host?.deadLetterSink,
    policy: delivery === undefined && host ? host.policy : policy,
    isStructured: delivery?.['format'] === 'json',
  })
}

function readSink(delivery: Fields, owner: Named): string | undefined {
  const sink = delivery['deadLetterSink']
  return sink === undefined ? undefined : readDestination(sink, 'spec.delivery.deadLetterSink', owner)
}

function readDestination(value: unknown, field: string, owner: Named): string {
  const { ref, uri } = toFields(value)
  if (ref === undefined && uri === undefined) owner.complain(field, value, 'a ref or a uri')
  const base = ref === undefined ? undefined : readReference(toFields(ref), `${field}.ref`, owner)
  if (uri === undefined) return base?.href ?? ''
  const isHttp = typeof uri === 'string' && URL.canParse(uri, base?.href) && new URL(uri, base).protocol === 'http:'
  if (!isHttp) owner.complain(`${field}.uri`, uri, 'an http address')
  // The text as it stands: a URI without a path is reported without one.
  return base && isHttp ? new URL(uri, base).href : String(uri)
}

function readReference(ref: Fields, field: string, { namespace, complain, resolve }: Named): URL | undefined {
  const { apiVersion, kind, name } = ref
  const isWhole = [apiVersion, kind, name].every((part) => typeof part === 'string')
  if (!isWhole) complain(field, ref, 'apiVersion, kind and name')
  const reference = { apiVersion: String(apiVersion), kind: String(kind), name: String(name) }
  const found = resolve(reference, String(ref['namespace'] ?? namespace))
  if (isWhole && !found) complain(field, `${kind} ${name}`, 'something whose address is known here')
  return found
}
