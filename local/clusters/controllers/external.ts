import type { Cluster, Waker } from '../cluster.ts'
import { type Condition, type KubeObject, ownedBy, withCondition } from '../object.ts'

interface StoreReference {
  name: string
  kind?: string
}

export interface ExternalSecret extends KubeObject {
  spec: {
    secretStoreRef?: StoreReference
    refreshPolicy?: string
    target?: {
      name?: string
      creationPolicy?: string
      template?: { type?: string; metadata?: Record<string, Record<string, string>>; data?: Record<string, string> }
    }
    data?: { secretKey: string; remoteRef?: object; sourceRef?: { storeRef?: StoreReference } }[]
  }
  status?: { conditions?: Condition[]; syncedResourceVersion?: string }
}

/** What the API of released versions fills in. */
const defaults = {
  conversionStrategy: 'Default',
  decodingStrategy: 'None',
  metadataPolicy: 'None',
  nullBytePolicy: 'Ignore',
}

function withDefaults(object: KubeObject): KubeObject {
  const { spec, ...rest } = object as ExternalSecret
  const data = spec.data?.map((one) => ({ ...one, remoteRef: { ...defaults, ...one.remoteRef } }))
  return { ...rest, spec: { ...spec, ...(data && { data }) } }
}

/** External Secrets: makes the Secret of an ExternalSecret, with made-up values filled into its template. */
export function runExternalSecrets(cluster: Cluster): void {
  cluster.store.admit('ExternalSecret', withDefaults)
  const everyOne = () =>
    cluster.store.list('ExternalSecret').map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
  const ofSecret = ({ metadata }: KubeObject) =>
    (metadata.ownerReferences ?? [])
      .filter(({ kind }) => kind === 'ExternalSecret')
      .map(({ name }) => `${metadata.namespace}/${name}`)
  cluster.control<ExternalSecret>('ExternalSecret', (wanted, waker) => sync(cluster, wanted, waker), {
    SecretStore: everyOne,
    ClusterSecretStore: everyOne,
    Secret: ofSecret,
  })
  for (const kind of ['SecretStore', 'ClusterSecretStore']) cluster.control(kind, (store) => accept(cluster, store))
}

/** ExternalDNS: takes notice of a DNSEndpoint; no name server is behind it. */
export function runExternalDns(cluster: Cluster): void {
  cluster.control(
    'DNSEndpoint',
    (endpoint) => void cluster.store.setStatus(endpoint, { observedGeneration: endpoint.metadata.generation }),
  )
}

function accept({ store }: Cluster, secretStore: KubeObject): void {
  const conditions = withCondition((secretStore['status'] as { conditions?: Condition[] } | undefined)?.conditions, {
    type: 'Ready',
    status: 'True',
    reason: 'Valid',
    message: 'store validated',
  })
  store.setStatus(secretStore, { capabilities: 'ReadWrite', conditions })
}

function sync(cluster: Cluster, wanted: ExternalSecret, { over }: Waker): void {
  const { store } = cluster
  const { namespace = '', generation } = wanted.metadata
  const { target, refreshPolicy } = wanted.spec
  const say = (condition: Condition, fields = {}) =>
    store.setStatus(wanted, { ...fields, conditions: withCondition(wanted.status?.conditions, condition) })
  if (wanted.metadata.deletionTimestamp || !over('secret')) return
  const missing = storesOf(wanted).find(
    ({ kind, name }) => !store.get(kind, kind === 'SecretStore' ? namespace : '', name),
  )
  if (missing) {
    const message = `could not get secret data from provider: ${missing.kind} "${missing.name}" not found`
    cluster.event(wanted, 'Warning', 'UpdateFailed', message)
    say({ type: 'Ready', status: 'False', reason: 'SecretSyncedError', message })
    return
  }
  const name = target?.name ?? wanted.metadata.name
  const live = store.get('Secret', namespace, name)
  if (live && (refreshPolicy === 'CreatedOnce' || wanted.status?.syncedResourceVersion?.startsWith(`${generation}-`)))
    return
  if (live)
    store.update({ ...secretFor(wanted, name), metadata: { ...live.metadata, ...secretFor(wanted, name).metadata } })
  else store.create(secretFor(wanted, name))
  const refreshTime = new Date().toISOString()
  say(
    { type: 'Ready', status: 'True', reason: 'SecretSynced', message: 'secret synced' },
    { refreshTime, syncedResourceVersion: `${generation}-${wanted.metadata.uid.slice(0, 8)}`, binding: { name } },
  )
}

/** The stores that an ExternalSecret's values come from. */
function storesOf({ spec: { secretStoreRef, data = [] } }: ExternalSecret): Required<StoreReference>[] {
  const references = [secretStoreRef, ...data.map(({ sourceRef }) => sourceRef?.storeRef)]
  return references.flatMap((one) => (one ? [{ name: one.name, kind: one.kind ?? 'SecretStore' }] : []))
}

/** The Secret of an ExternalSecret, with made-up values in the places of those that a provider would have. */
export function secretFor(wanted: ExternalSecret, name: string) {
  const { target, data = [] } = wanted.spec
  const values = new Map(data.map(({ secretKey }) => [secretKey, 'simulated']))
  const template = target?.template
  const texts = template?.data
    ? Object.entries(template.data).map(([key, text]) => [key, fill(text, values)] as const)
    : [...values]
  const encoded = Object.fromEntries(texts.map(([key, text]) => [key, Buffer.from(text).toString('base64')]))
  const owned = (target?.creationPolicy ?? 'Owner') === 'Owner' ? { ownerReferences: [ownedBy(wanted)] } : {}
  const metadata = { ...template?.metadata, name, namespace: wanted.metadata.namespace, ...owned }
  return { apiVersion: 'v1', kind: 'Secret', type: template?.type ?? 'Opaque', metadata, data: encoded }
}

const action = /\{\{-?\s*(?:`([^`]*)`|("(?:[^"\\]|\\.)*")|((?:[^`"}]|\}(?!\}))*?))\s*-?\}\}/g

/** Fills in quoted text, and for any other action the value that it names: made-up values need no escaping. */
function fill(text: string, values: Map<string, string>): string {
  return text.replace(action, (_all, raw?: string, quoted?: string, expression?: string) => {
    if (raw !== undefined) return raw
    if (quoted !== undefined) return String(JSON.parse(quoted))
    return values.get(/\.(\w+)/.exec(expression ?? '')?.[1] ?? '') ?? '<no value>'
  })
}
