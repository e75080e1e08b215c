import type { Named } from './area.ts'
import { type Finding, lacks } from './finding.ts'

/** The status that Knative's objects have. */
export interface WithConditions {
  status?: { conditions?: { type: string; status: string; reason?: string; message?: string }[] }
}

/** Why an object is not Ready; undefined when it is. */
export function unreadiness({ status }: WithConditions): string | undefined {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  if (ready?.status === 'True') return undefined
  return ready?.message || ready?.reason || 'it has no status yet'
}

/** One finding for each reason why some of these objects are not Ready; `resource` is what kubectl calls them. */
export function checkReadiness(
  what: string,
  resource: string,
  objects: readonly (Named & WithConditions)[],
): Finding[] {
  const reasons = new Map<string, Named[]>()
  for (const object of objects) {
    const why = unreadiness(object)
    if (why !== undefined) reasons.set(why, [...(reasons.get(why) ?? []), object])
  }
  return [...reasons].map(([why, some]) => {
    const names = some.map(({ metadata }) => metadata.name)
    const describe = `kubectl describe ${resource} ${names[0]} -n ${some[0]?.metadata.namespace}`
    return lacks(`Not Ready: ${what} ${names.join(', ')}: ${why}`, describe)
  })
}
