import type { Definition } from '../schema/definition.ts'
import { externalSecret } from './external-secret.ts'
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
  const metadata = metadataOf(definition, name)
  const template = {
    engineVersion: 'v2',
    mergePolicy: 'Replace',
    type: 'Opaque',
    metadata: { labels: metadata.labels },
    data: texts,
  }
  const data = Object.entries(definition.guestConfiguration.secrets)
  const plain = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data: encoded(texts) }
  return externalSecret({ metadata, data, template }) ?? plain
}

// Not stringData: the cluster would show data, and Git would differ from it.
const encoded = (texts: Record<string, string>) =>
  Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]))
