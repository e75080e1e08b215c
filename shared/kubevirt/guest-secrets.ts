import type { Definition } from '../schema/definition.ts'
import type { SecretReference } from '../schema/fleet-files.ts'
import { cloudInitName, type Manifest, metadataOf, sysprepName } from './manifest.ts'

/** The Secrets that the guest is set up from; ExternalSecrets where a value in them is secret. */
export function guestSecrets(definition: Definition): Manifest[] {
  const { userData, networkData, unattend } = definition.guestConfiguration
  const cloudInit = {
    ...(userData !== undefined && { userdata: userData }),
    ...(networkData !== undefined && { networkdata: networkData }),
  }
  return [
    ...(Object.keys(cloudInit).length > 0 ? [secretOf(definition, cloudInitName(definition.name), cloudInit)] : []),
    ...(unattend === undefined
      ? []
      : [secretOf(definition, sysprepName(definition.name), { 'unattend.xml': unattend })]),
  ]
}

/** With one secret all of the texts are templates: the definition says so, and an ExternalSecret needs one to fetch. */
function secretOf(definition: Definition, name: string, texts: Record<string, string>): Manifest {
  const secrets = Object.entries(definition.guestConfiguration.secrets)
  const metadata = metadataOf(definition, name)
  const [first] = secrets
  if (!first) return { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data: encoded(texts) }
  const store = storeOf(first[1])
  return {
    apiVersion: 'external-secrets.io/v1',
    kind: 'ExternalSecret',
    metadata,
    spec: {
      // The guest reads it at its first boot: to follow the store all day would change nothing.
      refreshPolicy: 'OnChange',
      refreshInterval: '1h0m0s',
      secretStoreRef: store,
      target: {
        name,
        creationPolicy: 'Owner',
        deletionPolicy: 'Retain',
        template: {
          engineVersion: 'v2',
          mergePolicy: 'Replace',
          type: 'Opaque',
          metadata: { labels: metadata.labels },
          data: texts,
        },
      },
      data: secrets.map(([key, reference]) => toData(key, reference, store)),
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

// Not stringData: the cluster would show data, and Git would differ from it.
const encoded = (texts: Record<string, string>) =>
  Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]))
