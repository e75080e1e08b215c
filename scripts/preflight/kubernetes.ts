import { type Answer, map } from './answer.ts'
import type { Area } from './area.ts'
import { cannotTell, type Finding, lacks, ok } from './finding.ts'
import { isAtLeast } from './version.ts'

/** The API server itself: is it there, and is it new enough. */
export const kubernetes = (least: string, why: string): Area<Answer<string>> => ({
  title: 'Kubernetes',
  read: async (ask) => map(await ask.get<{ gitVersion: string }>('/version'), ({ gitVersion }) => gitVersion),
  check: (version) => [checkVersion(version, least, why)],
})

function checkVersion(version: Answer<string>, least: string, why: string): Finding {
  if (version.state === 'hidden') return lacks(version.why, 'see that the context of the kubeconfig leads there')
  if (version.state === 'missing')
    return lacks('It answers, but not as Kubernetes does', 'see that the context of the kubeconfig leads there')
  const isEnough = isAtLeast(version.value, least)
  if (isEnough === undefined)
    return cannotTell(`Its version is "${version.value}"`, `see that it is ${least} or newer: ${why}`)
  if (isEnough) return ok(`Kubernetes is ${version.value}`)
  return lacks(`Kubernetes is ${version.value}`, `upgrade it to ${least} or newer: ${why}`)
}
