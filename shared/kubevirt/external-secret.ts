import type { SecretReference } from '../schema/fleet-files.ts'
import type { Manifest } from './manifest.ts'

/** Where values are to be found, never a value. */
interface Wanted {
  metadata: Manifest['metadata']
  /** A key of the Secret, and what of a store becomes its value. */
  data: readonly (readonly [key: string, reference: SecretReference])[]
  /** The Secret's texts, into which the values are put; without one it holds the values themselves. */
  template?: object
}

/** The ExternalSecret that a Secret of its name is made by; undefined where nothing is to be fetched. */
export function externalSecret({ metadata, data, template }: Wanted): Manifest | undefined {
  const [first] = data
  if (!first) return undefined
  const store = storeOf(first[1])
  return {
    apiVersion: 'external-secrets.io/v1',
    kind: 'ExternalSecret',
    metadata,
    spec: {
      // It is read once: to follow the store all day would change nothing.
      refreshPolicy: 'OnChange',
      refreshInterval: '1h0m0s',
      secretStoreRef: store,
      target: {
        name: metadata.name,
        creationPolicy: 'Owner',
        deletionPolicy: 'Retain',
        ...(template && { template }),
      },
      data: data.map(([key, reference]) => toData(key, reference, store)),
    },
  }
}

interface Store {
  name: string
  kind: string
}

const storeOf = ({ store, storeKind }: SecretReference): Store => ({ name: store, kind: storeKind ?? 'SecretStore' })

function toData(secretKey: string, reference: SecretReference, usual: Store) {
  const store = storeOf(reference)
  const isUsual = store.name === usual.name && store.kind === usual.kind
  return {
    secretKey,
    remoteRef: { key: reference.key, ...(reference.property !== undefined && { property: reference.property }) },
    ...(!isUsual && { sourceRef: { storeRef: store } }),
  }
}
