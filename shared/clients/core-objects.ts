import type { CoreV1Api, V1Pod } from '@kubernetes/client-node'
import type { Claim } from '../machines.ts'
import { type Access, answerOf } from './access.ts'

/** Reads of Kubernetes' own kinds on a managed cluster: claims, and the pods that hold them. */

async function ask<T>(access: Access, what: string, request: (api: CoreV1Api) => Promise<T>): Promise<T | undefined> {
  const { CoreV1Api } = await import('@kubernetes/client-node')
  return answerOf(access, what, (config) => request(config.makeApiClient(CoreV1Api)))
}

/** A claim by its name, or undefined when there is none. */
export async function readClaim(access: Access, namespace: string, name: string): Promise<Claim | undefined> {
  const read = (api: CoreV1Api) => api.readNamespacedPersistentVolumeClaim({ namespace, name })
  return (await ask(access, 'get persistentvolumeclaims', read)) as Claim | undefined
}

export type Pod = V1Pod & { metadata: { name: string } }

/** The pods of a namespace that a selector chooses. */
export async function podsIn(access: Access, namespace: string, labelSelector?: string): Promise<Pod[]> {
  const what = { namespace, ...(labelSelector === undefined ? {} : { labelSelector }) }
  const list = await ask(access, 'list pods', (api) => api.listNamespacedPod(what))
  return (list?.items ?? []) as Pod[]
}

/** True while a pod's containers may still write. */
export const isAlive = ({ status }: Pod) => !['Succeeded', 'Failed'].includes(status?.phase ?? '')

export const holds = ({ spec }: Pod, claims: readonly string[]) =>
  (spec?.volumes ?? []).some(({ persistentVolumeClaim: claim }) => claim && claims.includes(claim.claimName))

/** The termination messages of a pod's containers. */
export const wordsOf = ({ status }: Pod): string =>
  (status?.containerStatuses ?? [])
    .map(({ state }) => state?.terminated?.message ?? '')
    .join('\n')
    .trim()
