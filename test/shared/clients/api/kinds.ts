import { setTimeout as sleep } from 'node:timers/promises'
import { ApiextensionsV1Api, type KubeConfig } from '@kubernetes/client-node'

const kinds = {
  'argoproj.io/v1alpha1': { appprojects: 'AppProject', applications: 'Application' },
  'cluster.open-cluster-management.io/v1beta1': { placements: 'Placement', placementdecisions: 'PlacementDecision' },
}

/** Makes sure that the API server knows the kinds of the tests; answers how to take away what was made for it. */
export async function knowKinds(config: KubeConfig): Promise<() => Promise<void>> {
  const api = config.makeApiClient(ApiextensionsV1Api)
  const made: string[] = []
  for (const [groupVersion, names] of Object.entries(kinds)) {
    const [group = '', version = ''] = groupVersion.split('/')
    for (const [plural, kind] of Object.entries(names)) {
      const name = `${plural}.${group}`
      const isThere = await api.readCustomResourceDefinition({ name }).then(
        () => true,
        () => false,
      )
      if (isThere) continue
      await api.createCustomResourceDefinition({ body: permissive(name, group, version, plural, kind) })
      made.push(name)
    }
  }
  for (const name of made) {
    const isServed = async () => {
      const { status } = await api.readCustomResourceDefinition({ name })
      return status?.conditions?.some((one) => one.type === 'Established' && one.status === 'True')
    }
    while (!(await isServed())) await sleep(100)
  }
  return async () => {
    for (const name of made) await api.deleteCustomResourceDefinition({ name })
  }
}

/** A kind that takes any object. */
function permissive(name: string, group: string, version: string, plural: string, kind: string) {
  const schema = { openAPIV3Schema: { type: 'object', x_kubernetes_preserve_unknown_fields: true } }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, kind },
      versions: [{ name: version, served: true, storage: true, schema, subresources: { status: {} } }],
    },
  }
}
