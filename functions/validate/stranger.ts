import { type Asker, accessGroup, accessResource, grantProblems, isGranted, type Rights } from '../../shared/grants.ts'
import type { Policy } from '../../shared/schema/fleet-files.ts'
import { show } from '../../shared/schema/show.ts'

/**
 * Why whoever asks may not: the policies of the fleet have to grant it, and the hub where it is asked. Somebody who may
 * not is told that alone, for the other faults of their request would tell them about the fleet.
 */
export async function strangerProblems(
  asker: Asker,
  verb: string,
  policies: readonly Policy[],
  rights: Rights | undefined,
): Promise<string[]> {
  const problems = grantProblems(policies, asker)
  if (problems.length > 0) return problems
  const { namespace, requester } = asker
  if (rights) return (await rights.may(requester, verb, namespace)) ? [] : [ungranted(asker, verb)]
  return isGranted(policies, namespace) ? [] : [`namespace is ${show(namespace)}, wanted one ${whereGranted}`]
}

const whereGranted = 'for which a policy says who may ask: none has allowSources or allowRequesters here'

const ungranted = ({ namespace, requester }: Asker, verb: string) =>
  `requester is ${show(requester)}, wanted somebody whom the hub grants ${show(verb)} on ${accessResource}.${accessGroup} in namespace ${show(namespace)}`
