import { isDict } from '../../../shared/dict.ts'
import { badRequest } from '../api-error.ts'
import type { KubeObject } from '../object.ts'
import type { Store } from '../store.ts'
import { type ApiRequest, fieldsOf } from './request.ts'

/** Where SubjectAccessReviews are POSTed; they are answered and not kept. */
export const accessReviews = '/apis/authorization.k8s.io/v1/subjectaccessreviews'

interface Attributes {
  namespace?: string
  verb?: string
  group?: string
  resource?: string
}

interface Rule {
  verbs?: string[]
  apiGroups?: string[]
  resources?: string[]
  resourceNames?: string[]
}

interface Binding extends KubeObject {
  subjects?: { kind: string; name: string; namespace?: string }[]
  roleRef?: { kind: string; name: string }
}

/** Says whether the roles in a cluster let a user do something, as its RBAC authorizer would. */
export async function reviewAccess(store: Store, request: ApiRequest): Promise<unknown> {
  const review = await fieldsOf(request)
  const spec = isDict(review['spec']) ? review['spec'] : {}
  const { user, resourceAttributes } = spec as { user?: unknown; resourceAttributes?: Attributes }
  if (typeof user !== 'string' || user === '' || !resourceAttributes)
    throw badRequest('SubjectAccessReview is invalid: spec: at least one of user or group must be specified')
  const allowed = rulesFor(store, user, resourceAttributes.namespace ?? '').some((rule) =>
    grants(rule, resourceAttributes),
  )
  return { ...review, metadata: {}, status: { allowed } }
}

/** The rules of every role that is bound to a user, in a namespace and in all of them. */
function rulesFor(store: Store, user: string, namespace: string): Rule[] {
  const bindings = [...store.list('ClusterRoleBinding'), ...store.list('RoleBinding', namespace)] as Binding[]
  return bindings
    .filter(({ subjects = [] }) => subjects.some((subject) => nameOf(subject) === user))
    .flatMap(({ roleRef }) => {
      const place = roleRef?.kind === 'Role' ? namespace : ''
      const role = store.get(roleRef?.kind ?? '', place, roleRef?.name ?? '') as { rules?: Rule[] } | undefined
      return role?.rules ?? []
    })
}

/** Under which name a subject authenticates; groups are of those who ask with them. */
const nameOf = ({ kind, name, namespace }: { kind: string; name: string; namespace?: string }) =>
  kind === 'ServiceAccount' ? `system:serviceaccount:${namespace}:${name}` : kind === 'User' ? name : undefined

function grants(
  { verbs, apiGroups, resources, resourceNames }: Rule,
  { verb, group = '', resource }: Attributes,
): boolean {
  const has = (words: string[] | undefined, word: string | undefined) =>
    words?.some((one) => one === '*' || one === word) ?? false
  return has(verbs, verb) && has(apiGroups, group) && has(resources, resource) && !resourceNames?.length
}
