import type { Fleet, Tree } from '../../shared/fleet.ts'
import type { Rights } from '../../shared/grants.ts'
import { readPolicies } from '../../shared/policies.ts'
import { violations } from '../../shared/policy.ts'
import type { Subject } from '../../shared/policy-rules.ts'
import type { MachineRequest } from '../../shared/schema/requests.ts'
import { type Facts, type Outcome, succeeded } from '../../shared/step.ts'
import { strangerProblems } from './stranger.ts'
import { askerOf, callbackOf, callbackProblems, refusal, type Unproved } from './unproved.ts'

/** What is asked for, once its words are those of its schema. */
interface Asked {
  request: Pick<MachineRequest, 'namespace' | 'callback'>
  /** For people: "patch of shop/web-01". */
  what: string
  /** What it comes to in the fleet as it is; asked for nobody who may not ask. */
  judge(tree: Tree): Promise<Judgement>
}

export interface Judgement {
  /** What policy looks at; undefined where it cannot be told. */
  subject?: Subject
  /** What else is wrong, beside who asks and what policy says. */
  problems: readonly string[]
  facts?: Facts
}

/**
 * Says whether what is asked for can be granted. A stranger hears no more than that; anybody else every problem at once, and
 * where they may be told of it, there.
 */
export async function grant(
  run: Unproved,
  { request, what, judge }: Asked,
  fleet: Pick<Fleet, 'head'>,
  rights?: Rights,
): Promise<Outcome> {
  const tree = await fleet.head()
  const policies = await readPolicies(tree)
  if (!policies.ok) return refusal(policies.problems)
  const asker = { ...askerOf(run), namespace: request.namespace }
  const strangers = await strangerProblems(asker, run.lifecycle, policies.value, rights)
  if (strangers.length > 0) return refusal(strangers)
  const { subject, problems, facts } = await judge(tree)
  const all = [...callbackProblems(request), ...(subject ? violations(policies.value, subject) : []), ...problems]
  const callback = subject ? callbackOf(subject, policies.value) : {}
  return all.length > 0 ? refusal(all, callback) : succeeded(`The request is valid: ${what}`, { ...facts, ...callback })
}
