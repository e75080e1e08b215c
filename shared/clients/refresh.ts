import { setTimeout as sleep } from 'node:timers/promises'
import type { CustomObjectsApi } from '@kubernetes/client-node'
import { refreshAnnotation } from '../machines.ts'
import { type Access, type ArgoHub, ask, codeOf, getObject } from './access.ts'
import { coalesce } from './coalesce.ts'
import { kinds } from './kinds.ts'

/** Makes Argo CD look at Git now, and waits until it has. */

/** The part of an Application that tells whether a refresh is over. */
interface Refreshed {
  metadata: { resourceVersion?: string; annotations?: Record<string, string> }
  operation?: unknown
  status?: { reconciledAt?: string; operationState?: { phase?: string }; conditions?: { type: string }[] }
}

/** Argo CD takes the annotation off when it has compared; where others keep asking, the time of comparison moves on. */
export async function settle(hub: Access, namespace: string, name: string, signal: AbortSignal): Promise<boolean> {
  const look = () => getObject<Refreshed>(hub, application(namespace, name))
  const asked = await refresh(hub, namespace, name, signal)
  if (asked === 'unheard') return false
  for (let seen = asked; seen; seen = await look()) {
    const isRead = !seen.status?.conditions?.some(({ type }) => type === 'ComparisonError')
    const isCompared = isRead && seen.metadata.annotations?.[refreshAnnotation] === undefined
    const isLater = (seen.status?.reconciledAt ?? '') > (asked?.status?.reconciledAt ?? '')
    const isApplying = seen.operation !== undefined || seen.status?.operationState?.phase === 'Running'
    if ((isCompared || isLater) && !isApplying) return true
    if (signal.aborted) return false
    await sleep(100, undefined, { signal }).catch(() => undefined)
  }
  return true
}

/** Where the API has an Application. */
const application = (namespace: string, name: string) => ({ ...kinds.applications, namespace, name })

/**
 * The refresh annotation wakes Argo CD, which else looks at Git every few minutes. Argo CD takes it off when it has
 * compared, also where it was put on again meanwhile: who asks while it is there may be told of a commit before theirs. So
 * it is put on when it is not there, on the very object that was seen; once it was not there, whoever puts it on asks for
 * us as well. 'unheard' when the signal ends first; undefined when there is no such Application.
 */
async function refresh(hub: Access, namespace: string, name: string, signal: AbortSignal) {
  const what = application(namespace, name)
  for (let wasFree = false; !signal.aborted; ) {
    const seen = await getObject<Refreshed>(hub, what)
    const isFree = seen?.metadata.annotations?.[refreshAnnotation] === undefined
    if (!seen || (wasFree && !isFree)) return seen
    wasFree ||= isFree
    const asked = isFree ? await annotate(hub, what, seen.metadata.resourceVersion) : 'taken'
    if (typeof asked !== 'string') return asked
    if (asked === 'taken') await sleep(100, undefined, { signal }).catch(() => undefined)
  }
  return 'unheard'
}

/** Who only wants to wake Argo CD waits so long for it, in milliseconds: it is slow then, and will look anyway. */
const slowArgo = 5000

export type Wake = (application: string) => Promise<void>

/**
 * Wakes Argo CD. Who comes while another one's question is not put yet shares it, for all runs ask for the same root Application; who
 * comes while it is put waits for the next one, for this one may be about a commit before theirs.
 */
export function openWaker({ access, argocdNamespace }: ArgoHub, longest = slowArgo): Wake {
  const questions = new Map<string, { put(): Promise<void>; askers: number }>()
  const put = async (name: string) => void (await refresh(access, argocdNamespace, name, AbortSignal.timeout(longest)))
  return async (name) => {
    const question = questions.get(name) ?? { put: coalesce(() => put(name)), askers: 0 }
    questions.set(name, question)
    question.askers += 1
    const patience = new AbortController()
    const longEnough = sleep(longest, undefined, { signal: patience.signal }).catch(() => undefined)
    try {
      await Promise.race([question.put(), longEnough])
    } finally {
      patience.abort()
      question.askers -= 1
      if (question.askers === 0) questions.delete(name)
    }
  }
}

/** Puts the annotation on the object of this version, and on no other. */
async function annotate(hub: Access, what: ReturnType<typeof application>, resourceVersion: string | undefined) {
  const { PatchStrategy, setHeaderOptions } = await import('@kubernetes/client-node')
  const body = { metadata: { annotations: { [refreshAnnotation]: 'normal' }, resourceVersion } }
  const options = setHeaderOptions('Content-Type', PatchStrategy.MergePatch)
  const patch = (api: CustomObjectsApi) =>
    api.patchNamespacedCustomObject({ ...what, body }, options).catch((error: unknown) => {
      if (codeOf(error) === 409) return 'changed'
      throw error
    })
  return (await ask(hub, 'patch applications', patch)) as Refreshed | 'changed' | undefined
}
