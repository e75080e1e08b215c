import { CoreV1Api, type KubeConfig, RbacAuthorizationV1Api } from '@kubernetes/client-node'

/** Two tokens of a ServiceAccount that may read projects; `end` makes an end of the old one before its time. */
export async function someone(config: KubeConfig, namespace: string) {
  const core = config.makeApiClient(CoreV1Api)
  const rbac = config.makeApiClient(RbacAuthorizationV1Api)
  const named = { metadata: { name: 'someone' } }
  await core.createNamespacedServiceAccount({ namespace, body: named })
  const rules = [{ apiGroups: ['argoproj.io'], resources: ['appprojects'], verbs: ['get', 'list', 'watch'] }]
  await rbac.createNamespacedRole({ namespace, body: { ...named, rules } })
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'someone' }
  const subjects = [{ kind: 'ServiceAccount', name: 'someone', namespace }]
  await rbac.createNamespacedRoleBinding({ namespace, body: { ...named, roleRef, subjects } })

  // A token lasts ten minutes at least, unless it is bound to something that is deleted.
  await core.createNamespacedSecret({ namespace, body: named })
  const token = async (bound: object) => {
    const body = { spec: { audiences: [], expirationSeconds: 600, ...bound } }
    const { status } = await core.createNamespacedServiceAccountToken({ namespace, name: 'someone', body })
    return status?.token ?? ''
  }
  return {
    old: await token({ boundObjectRef: { apiVersion: 'v1', kind: 'Secret', name: 'someone' } }),
    new: await token({}),
    end: () => core.deleteNamespacedSecret({ namespace, name: 'someone' }),
  }
}
