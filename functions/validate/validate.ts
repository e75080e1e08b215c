import type { Fleet, Tree } from '../../shared/fleet.ts'
import type { Rights } from '../../shared/grants.ts'
import { joinProblems, toMachine } from '../../shared/join.ts'
import { findsMachine, makesImage } from '../../shared/lifecycles.ts'
import { candidate, namingOf, namingProblems } from '../../shared/names.ts'
import { check } from '../../shared/schema/check.ts'
import { ProvisionRequest } from '../../shared/schema/provision-request.ts'
import type { Template } from '../../shared/schema/template.ts'
import type { Outcome } from '../../shared/step.ts'
import { attach } from './attach.ts'
import { validateChange } from './change.ts'
import { customizationProblems, networkProblems, readTemplate } from './fleet-files.ts'
import { grant, type Judgement } from './grant.ts'
import { validateImage } from './image.ts'
import { nameTaken } from './name-taken.ts'
import { refusal, type Unproved } from './unproved.ts'

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
  if (!checked.ok) return refusal(checked.problems)
  const request = checked.value
  const what = `template ${request.template} in namespace ${request.namespace}`
  return grant(run, { request, what, judge: (tree) => judge(run, request, tree) }, fleet, rights)
}

/** The machine that template and request come to, and what is wrong with it. */
async function judge(run: Unproved, request: ProvisionRequest, tree: Tree): Promise<Judgement> {
  const template = await readTemplate(tree, request.template)
  if (!template.ok) return { problems: template.problems }
  const subject = toSubject(request, template.value)
  const { machine, labels } = subject
  const attached = await attach(tree, request, machine)
  const problems = [
    ...('problems' in attached ? attached.problems : []),
    ...namingProblems(request, template.value),
    ...joinProblems(template.value, request),
    ...(await networkProblems(tree, machine)),
    ...(await customizationProblems(tree, machine)),
    ...(request.name === undefined ? [] : await nameTaken(tree, run, request.name, 'name')),
  ]
  if ('problems' in attached) return { subject, problems }
  const placement = attached.cluster === undefined ? machine.placement : { cluster: attached.cluster }
  return { subject, problems, facts: { machine: { ...machine, placement }, labels, ...attached.facts } }
}

/** Policy looks at the name that is asked for, or at the first one that the pattern gives. */
function toSubject(request: ProvisionRequest, template: Template) {
  const naming = namingProblems(request, template).length > 0 ? undefined : namingOf(request, template)
  const name = request.name ?? (naming && candidate(naming, 1))
  const { machine, labels } = toMachine(template, request)
  return { request, machine, labels, dataDisks: machine.disks.length + (request.attach?.length ?? 0), name }
}
