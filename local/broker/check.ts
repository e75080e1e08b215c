import { readPolicy } from './check-delivery.ts'
import { readFilters } from './check-filters.ts'
import { type Complain, type Fields, isFields, readFields, toFields } from './fields.ts'
import type { BrokerPlan, Policy, Route } from './plan.ts'

/** What a Trigger may name instead of a URI. */
export interface Reference {
  apiVersion: string
  kind: string
  name: string
}

/** Where an object is reached; undefined when nobody knows. */
export type Resolve = (reference: Reference, namespace: string) => URL | undefined

const brokerClass = 'MTChannelBasedBroker'

interface Named {
  namespace: string
  name: string
  spec: Fields
  annotations: Fields
  complain: Complain
}

/** A Broker as its Triggers see it. */
interface Host {
  plan: BrokerPlan
  policy: Policy
  deadLetterSink: string | undefined
}

/** The Brokers, with their Triggers, of Kubernetes objects. Throws one error that names all that is wrong with them. */
export function toPlans(manifests: readonly unknown[], resolve: Resolve): BrokerPlan[] {
  const problems: string[] = []
  const named = (kind: string) =>
    manifests.filter((object) => isKind(object, kind)).map((object) => toNamed(object, kind, problems))
  const hosts = new Map<string, Host>()
  for (const broker of named('Broker').filter(isOurs)) addBroker(broker, hosts, resolve)
  for (const trigger of named('Trigger')) addTrigger(trigger, hosts, resolve)
  if (problems.length > 0) throw new Error(problems.join('\n'))
  return [...hosts.values()].map(({ plan }) => plan)
}

function isKind(object: unknown, kind: string): object is Fields {
  return isFields(object) && object['kind'] === kind && String(object['apiVersion']).startsWith('eventing.knative.dev/')
}

function toNamed(object: Fields, kind: string, problems: string[]): Named {
  const metadata = toFields(object['metadata'])
  const name = String(metadata['name'] ?? '')
  const namespace = String(metadata['namespace'] ?? 'default')
  const complain: Complain = (field, is, wanted) => {
    problems.push(
      `Cannot load ${kind} "${namespace}/${name}": ${field} is ${JSON.stringify(is) ?? 'missing'}, wanted ${wanted}`,
    )
  }
  if (name === '') complain('metadata.name', metadata['name'], 'a name')
  if (object['apiVersion'] !== 'eventing.knative.dev/v1')
    complain('apiVersion', object['apiVersion'], 'eventing.knative.dev/v1')
  return { namespace, name, spec: toFields(object['spec']), annotations: toFields(metadata['annotations']), complain }
}

/** A Broker of another class is somebody else's, as in a cluster. */
function isOurs({ annotations }: Named): boolean {
  return (annotations['eventing.knative.dev/broker.class'] ?? brokerClass) === brokerClass
}

function addBroker(
  { namespace, name, spec, annotations, complain }: Named,
  hosts: Map<string, Host>,
  resolve: Resolve,
) {
  const key = `${namespace}/${name}`
  if (hosts.has(key)) complain('metadata.name', name, 'a name that no other Broker of the namespace has')
  const isAsync = String(annotations['messaging.knative.dev/async-handler']) === 'true'
  const delivery = readFields(spec['delivery'], 'spec.delivery', complain) ?? {}
  hosts.set(key, {
    plan: { namespace, name, isAsync, routes: [] },
    policy: readPolicy(delivery, complain),
    deadLetterSink: readSink(delivery, namespace, resolve, complain),
  })
}

function addTrigger({ namespace, name, spec, complain }: Named, hosts: Map<string, Host>, resolve: Resolve) {
  const host = hosts.get(`${namespace}/${spec['broker']}`)
  if (!host) complain('spec.broker', spec['broker'], `a Broker of class ${brokerClass} in namespace "${namespace}"`)
  const delivery = readFields(spec['delivery'], 'spec.delivery', complain)
  // Any delivery, even an empty one, takes away the Broker's retries and timeout, yet not its dead letter sink.
  const policy = readPolicy(delivery ?? {}, complain)
  const route: Route = {
    name,
    filters: readFilters(spec, complain),
    subscriber: readDestination(spec['subscriber'], 'spec.subscriber', namespace, resolve, complain),
    deadLetterSink: readSink(delivery ?? {}, namespace, resolve, complain) ?? host?.deadLetterSink,
    policy: delivery === undefined && host ? host.policy : policy,
    isStructured: delivery?.['format'] === 'json',
  }
  host?.plan.routes.push(route)
}

function readSink(delivery: Fields, namespace: string, resolve: Resolve, complain: Complain): string | undefined {
  const sink = delivery['deadLetterSink']
  return sink === undefined
    ? undefined
    : readDestination(sink, 'spec.delivery.deadLetterSink', namespace, resolve, complain)
}

function readDestination(
  value: unknown,
  field: string,
  namespace: string,
  resolve: Resolve,
  complain: Complain,
): string {
  const { ref, uri } = toFields(value)
  if (ref === undefined && uri === undefined) complain(field, value, 'a ref or a uri')
  const base =
    ref === undefined ? undefined : readReference(toFields(ref), `${field}.ref`, namespace, resolve, complain)
  if (uri === undefined) return base?.href ?? ''
  const isHttp = typeof uri === 'string' && URL.canParse(uri, base?.href) && new URL(uri, base).protocol === 'http:'
  if (!isHttp) complain(`${field}.uri`, uri, 'an http address')
  // The text as it stands: a URI without a path is reported without one.
  return base && isHttp ? new URL(uri, base).href : String(uri)
}

function readReference(
  ref: Fields,
  field: string,
  namespace: string,
  resolve: Resolve,
  complain: Complain,
): URL | undefined {
  const { apiVersion, kind, name } = ref
  const isWhole = [apiVersion, kind, name].every((part) => typeof part === 'string')
  if (!isWhole) complain(field, ref, 'apiVersion, kind and name')
  const reference = { apiVersion: String(apiVersion), kind: String(kind), name: String(name) }
  const found = resolve(reference, String(ref['namespace'] ?? namespace))
  if (isWhole && !found) complain(field, `${kind} ${name}`, 'something whose address is known here')
  return found
}
