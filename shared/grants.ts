import { matchesAny } from './globs.ts'
import { inForce } from './policy.ts'
import { either } from './policy-rules.ts'
import type { Policy } from './schema/fleet-files.ts'
import { show } from './schema/show.ts'

/** Who asks for something in a namespace. `source` is what the Broker let them say, `requester` what the source says. */
export interface Asker {
  namespace: string
  source: string
  requester: string
}

/** Asks the hub's own access rules (RBAC) about somebody. */
export interface Rights {
  /** Whether they may do this with the machines of a namespace; throws when the hub cannot say. */
  may(user: string, verb: string, namespace: string): Promise<boolean>
}

/** What the hub's RBAC is asked about: no API has it, so nobody has a right to it by chance. */
export const accessGroup = 'drover.dev'
export const accessResource = 'machines'

/** Why somebody may not ask in a namespace, by the fleet's policies. */
export function grantProblems(policies: readonly Policy[], asker: Asker): string[] {
  return inForce(policies, asker.namespace).flatMap(({ rules, description }) =>
    [
      ...unlisted('source', asker.source, rules.allowSources),
      ...unlisted('requester', asker.requester, rules.allowRequesters),
    ].map((sentence) => `${sentence} (policy: ${description})`),
  )
}

const unlisted = (path: string, word: string, allowed: readonly string[] | undefined): string[] =>
  !allowed || matchesAny(allowed, word)
    ? []
    : [`${path} is ${show(word)}, wanted ${allowed.length > 0 ? either(allowed) : 'none'}`]

/** True when a policy says who may ask in a namespace; where none does, nobody may. */
export const isGranted = (policies: readonly Policy[], namespace: string): boolean =>
  inForce(policies, namespace).some(
    ({ rules }) => rules.allowSources !== undefined || rules.allowRequesters !== undefined,
  )
