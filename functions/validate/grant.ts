import type { Fleet, Tree } from '../../shared/fleet.ts'
import type { Rights } from '../../shared/grants.ts'
import { readPolicies } from '../../shared/policies.ts'
import { violations } from '../../shared/policy.ts'
import type { Subject } from '../../shared/policy-rules.ts'
import { type Outcome, succeeded } from '../../shared/step.ts'
import { strangerProblems } from './stranger.ts'
import { askerOf, callbackOf, callbackProblems, refusal, type Unproved } from './unproved.ts'

/** What is asked for, once its words are those of its schema. */
interface Asked {
  subject: Subject
  /** For people: "patch of shop/web-01". */
  what: string
  /** What else is wrong with it, beside who asks and what policy says. */
  problems(tree: Tree): Promise<readonly string[]>
}

/**
 * Says whether what is asked for can be granted. A stranger hears no more than that; anybody else every problem at once, and
 * where they may be told of it, there.
 */
export async function grant(
  run: Unproved,
  { subject, what, problems }: Asked,
  fleet: Pick<Fleet, 'head'>,
  rights?: Rights,
): Promise<Outcome> {
  const tree = await fleet.head()
  const policies = await readPolicies(tree)
  if (!policies.ok) return refusal(policies.problems)
  const { namespace } = subject.request
  const strangers = await strangerProblems({ ...askerOf(run), namespace }, run.lifecycle, policies.value, rights)
  if (strangers.length > 0) return refusal(strangers)
  const all = [...callbackProblems(subject.request), ...violations(policies.value, subject), ...(await problems(tree))]
  const callback = callbackOf(subject, policies.value)
  return all.length > 0 ? refusal(all, callback) : succeeded(`The request is valid: ${what}`, callback)
}
