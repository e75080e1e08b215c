import type { KubeConfig, V1ResourceAttributes } from '@kubernetes/client-node'
import { DroverError } from '../errors.ts'
import { accessGroup, accessResource, type Rights } from '../grants.ts'
import type { Access } from './access.ts'

/** How long the hub may take for its answer, in milliseconds. */
const timeout = 10_000

/**
 * Asks the hub by SubjectAccessReview, which needs no right but to create those. Groups are not asked about: only who
 * authenticated somebody knows them.
 */
export function openRights(hub: Access): Rights {
  return {
    async may(user, verb, namespace) {
      const attributes = { group: accessGroup, resource: accessResource, verb, namespace }
      const asking = hub.use('create subjectaccessreviews', (config) =>
        within(timeout, review(config, user, attributes)),
      )
      const status = await asking.catch((cause) => {
        throw hub.failure(cause)
      })
      // Whoever answers something else has not said yes.
      if (typeof status?.allowed !== 'boolean') throw unknown(user, 'it gave no answer')
      if (!status.allowed && status.evaluationError) throw unknown(user, status.evaluationError)
      return status.allowed
    },
  }
}

async function review(config: KubeConfig, user: string, resourceAttributes: V1ResourceAttributes) {
  const { AuthorizationV1Api } = await import('@kubernetes/client-node')
  const kind = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview' }
  const body = { ...kind, spec: { user, resourceAttributes } }
  return (await config.makeApiClient(AuthorizationV1Api).createSubjectAccessReview({ body })).status
}

const unknown = (user: string, why: string) =>
  new DroverError('broken', `Cannot find out what ${JSON.stringify(user)} may do: the hub cannot say`, {
    cause: new Error(why),
  })

async function within<T>(milliseconds: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the hub did not answer within ${milliseconds} ms`)), milliseconds)
  })
  return Promise.race([answer, late]).finally(() => clearTimeout(timer))
}
