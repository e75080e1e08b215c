import type { Fleet, Tree } from '../../shared/fleet.ts'
import type { Rights } from '../../shared/grants.ts'
import { readHolder } from '../../shared/holder.ts'
import { findsMachine, makesImage } from '../../shared/lifecycles.ts'
import { joinProblems, toMachine } from '../../shared/machine.ts'
import { candidate, namingOf, namingProblems } from '../../shared/names.ts'
import { readPolicies } from '../../shared/policies.ts'
import { violations } from '../../shared/policy.ts'
import { check } from '../../shared/schema/check.ts'
import { Label, Strict } from '../../shared/schema/parts.ts'
import { ProvisionRequest } from '../../shared/schema/request.ts'
import type { Template } from '../../shared/schema/template.ts'
import { type Outcome, succeeded } from '../../shared/step.ts'
import { attach } from './attach.ts'
import { validateChange } from './change.ts'
import { customizationProblems, networkProblems, readTemplate } from './fleet-files.ts'
import { validateImage } from './image.ts'
import { strangerProblems } from './stranger.ts'
import { askerOf, callbackOf, callbackProblems, refusal, type Unproved } from './unproved.ts'

/**
 * Says whether a request can be granted, with every problem of it at once: its own words, the template it picks, what
 * that template lets it override, the files it names, policy and its name. Changes nothing. With `rights`, the hub has to
 * grant it as well.
 */
export async function validate(run: Unproved, fleet: Pick<Fleet, 'head'>, rights?: Rights): Promise<Outcome> {
  if (makesImage(run.lifecycle)) return validateImage(run, fleet, rights)
  return findsMachine(run.lifecycle) ? validateChange(run, fleet, rights) : validateProvision(run, fleet, rights)
}

async function validateProvision(run: Unproved, fleet: Pick<Fleet, 'head'>, rights?: Rights): Promise<Outcome> {
  const checked = check(ProvisionRequest, run.request, 'the request')
  if (!checked.ok) return refusal([...checked.problems, ...(await unknownTemplate(run.request, fleet))])
  const request = checked.value
  const tree = await fleet.head()
  const policies = await readPolicies(tree)
  const strangers = policies.ok
    ? await strangerProblems({ ...askerOf(run), namespace: request.namespace }, run.lifecycle, policies.value, rights)
    : []
  if (strangers.length > 0) return refusal(strangers)
  const template = await readTemplate(tree, request.template)
  if (!template.ok) return refusal([...template.problems, ...(policies.ok ? [] : policies.problems)])
  const subject = toSubject(request, template.value)
  const attached = await attach(tree, request, subject.machine)
  const problems = [
    ...('problems' in attached ? attached.problems : []),
    ...namingProblems(request, template.value),
    ...joinProblems(template.value, request),
    ...callbackProblems(request),
    ...(policies.ok ? violations(policies.value, subject) : policies.problems),
    ...(await networkProblems(tree, subject.machine)),
    ...(await customizationProblems(tree, subject.machine)),
    ...(await nameTaken(tree, run.id, request.name)),
  ]
  const callback = callbackOf(subject, policies.ok ? policies.value : undefined)
  if (problems.length > 0 || 'problems' in attached) return refusal(problems, callback)
  const { machine, labels } = subject
  const placement = attached.cluster === undefined ? machine.placement : { cluster: attached.cluster }
  const facts = { machine: { ...machine, placement }, labels, ...callback, ...attached.facts }
  return succeeded(`The request is valid: template ${request.template} in namespace ${request.namespace}`, facts)
}

/** A request that is wrong in other ways too is told of a template that there is not in the same breath. */
async function unknownTemplate(request: unknown, fleet: Pick<Fleet, 'head'>): Promise<string[]> {
  const named = check(Strict({ template: Label }, { additionalProperties: true }), request, 'the request')
  if (!named.ok) return []
  const template = await readTemplate(await fleet.head(), named.value.template)
  return template.ok ? [] : template.problems
}

/** Policy looks at the name that is asked for, or at the first one that the pattern gives. */
function toSubject(request: ProvisionRequest, template: Template) {
  const naming = namingProblems(request, template).length > 0 ? undefined : namingOf(request, template)
  const name = request.name ?? (naming && candidate(naming, 1))
  const { machine, labels } = toMachine(template, request)
  return { request, machine, labels, dataDisks: machine.disks.length + (request.attach?.length ?? 0), name }
}

/** An early word for people; it is `allocate` that proves the name free. */
async function nameTaken(tree: Tree, run: string, name: string | undefined): Promise<string[]> {
  const holder = name === undefined ? undefined : await readHolder(tree, name)
  return holder === undefined || holder.run === run ? [] : [`name ${holder.sentence}`]
}
