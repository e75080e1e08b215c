import type { Fleet } from '../../shared/fleet.ts'
import type { Rights } from '../../shared/grants.ts'
import { secretWords } from '../../shared/named-secrets.ts'
import type { Subject } from '../../shared/policy-rules.ts'
import { bytes } from '../../shared/quantity.ts'
import { check } from '../../shared/schema/check.ts'
import { type MachineRequest, type Requests, requests } from '../../shared/schema/requests.ts'
import { show } from '../../shared/schema/show.ts'
import type { Outcome } from '../../shared/step.ts'
import { diskCustomizationProblems } from './disk-customization.ts'
import { grant } from './grant.ts'
import { nameTaken } from './name-taken.ts'
import { secretProblems } from './secrets.ts'
import { refusal, type Unproved } from './unproved.ts'

/**
 * Says whether a request to change a machine that there is can be granted: its own words, who asks, policy. Which machine
 * that is, and whether it can be changed so, is found out by the tasks after.
 */
export async function validateChange(run: Unproved, fleet: Pick<Fleet, 'head'>, rights?: Rights): Promise<Outcome> {
  const checked = check(requests[run.lifecycle], run.request, 'the request')
  if (!checked.ok) return refusal(checked.problems)
  const request = checked.value as MachineRequest
  return grant(
    run,
    {
      request,
      what: `${run.lifecycle} of ${request.namespace}/${request.name}`,
      judge: async (tree) => ({
        subject: toSubject(request),
        problems: [
          ...contents(request),
          ...secretProblems(request as Partial<Requests['patch']>),
          ...(await diskCustomizationProblems(tree, request as Partial<Requests['patch']>)),
          ...('as' in request ? await nameTaken(tree, run, request.as.name, 'as.name') : []),
        ],
      }),
    },
    fleet,
    rights,
  )
}

/** What policy looks at: only what the request would make different. */
function toSubject(request: MachineRequest): Subject {
  const asked: Partial<Requests['resize'] & Requests['repave'] & Requests['clone'] & Requests['patch']> = request
  const { add = [], grow = {} } = asked
  return {
    request: { ...request, ...(asked.as?.owner ? { owner: asked.as.owner } : {}) },
    machine: {
      ...(asked.image ? { image: asked.image } : {}),
      ...(asked.size ? { size: asked.size } : {}),
    },
    sizes: [
      ...add.map(({ size }, index) => [`add[${index}].size`, size] as const),
      ...Object.entries(grow).map(([name, size]) => [`grow.${name}`, size] as const),
    ],
    secrets: secretWords(asked),
    name: asked.as?.name,
  }
}

/** What the words of a request want together, beyond what each of them may be. */
function contents(request: MachineRequest): string[] {
  if ('action' in request && request.action === 'expire' && !('snapshot' in request && request.snapshot))
    return ['snapshot is missing, wanted the name of the snapshot that is to expire']
  if (!('grow' in request)) return []
  // Storage rounds a size up, mostly to that: a restored claim would ask for more than Git says, and no claim shrinks.
  return Object.entries(request.grow ?? {})
    .filter(([, size]) => bytes(size) % gibibyte !== 0)
    .map(([name, size]) => `grow.${name} is ${show(size)}, wanted whole Gi`)
}

const gibibyte = 2 ** 30
