import type { Definition } from '../schema/definition.ts'
import { type Manifest, metadataOf, ownerName } from './manifest.ts'

/**
 * What the owner may do with this machine and no other: see it and use its console. Not start or stop it: power goes
 * through Git, and Argo CD would undo what was done beside it.
 */
export function access(definition: Definition): Manifest[] {
  const { name, owner } = definition
  const metadata = metadataOf(definition, ownerName(name))
  const rule = (apiGroup: string, resources: string[]) => ({
    apiGroups: [apiGroup],
    resources,
    resourceNames: [name],
    verbs: ['get'],
  })
  const rules = [
    rule('kubevirt.io', ['virtualmachines', 'virtualmachineinstances']),
    rule('subresources.kubevirt.io', ['virtualmachineinstances/console', 'virtualmachineinstances/vnc']),
  ]
  const apiGroup = 'rbac.authorization.k8s.io'
  return [
    { apiVersion: `${apiGroup}/v1`, kind: 'Role', metadata, rules },
    {
      apiVersion: `${apiGroup}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup, kind: 'Role', name: ownerName(name) },
      subjects: [{ apiGroup, kind: owner.kind, name: owner.name }],
    },
  ]
}
