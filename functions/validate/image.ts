import { messageOf } from '../../shared/errors.ts'
import type { Fleet, Tree } from '../../shared/fleet.ts'
import type { Rights } from '../../shared/grants.ts'
import { parseRepository, parseTag } from '../../shared/images/reference.ts'
import { twice } from '../../shared/machine.ts'
import { customizationFile } from '../../shared/paths.ts'
import { violations } from '../../shared/policy.ts'
import { check } from '../../shared/schema/check.ts'
import { Customization } from '../../shared/schema/fleet-files.ts'
import { namesIn, readChecked } from '../../shared/schema/read.ts'
import { type ImageRequest, requests } from '../../shared/schema/requests.ts'
import { listed, show } from '../../shared/schema/show.ts'
import { type Outcome, succeeded } from '../../shared/step.ts'
import { readPolicies } from './fleet-files.ts'
import { strangerProblems } from './stranger.ts'
import { askerOf, callbackOf, callbackProblems, refusal, type Unproved } from './unproved.ts'

/** Says whether a golden image may be made as a request wants it, with every problem of it at once. Changes nothing. */
export async function validateImage(run: Unproved, fleet: Pick<Fleet, 'head'>, rights?: Rights): Promise<Outcome> {
  const checked = check(requests['golden-image'], run.request, 'the request')
  if (!checked.ok) return refusal(checked.problems)
  const request = checked.value
  const { namespace, image } = request
  const tree = await fleet.head()
  const policies = await readPolicies(tree)
  if (!policies.ok) return refusal(policies.problems)
  const strangers = await strangerProblems({ ...askerOf(run), namespace }, run.lifecycle, policies.value, rights)
  if (strangers.length > 0) return refusal(strangers)
  const subject = { request, machine: {}, name: undefined, image: request }
  const problems = [
    ...callbackProblems(request),
    ...violations(policies.value, subject),
    ...urlProblems(request),
    ...pushProblems(request),
    ...secretProblems(request),
    ...(await customizationProblems(tree, request)),
  ]
  const callback = callbackOf(subject, policies.value)
  if (problems.length > 0) return refusal(problems, callback)
  return succeeded(`The request is valid: image ${image} in namespace ${namespace}`, callback)
}

/** What policy has looked at must be what the cluster fetches, and nothing in it may be secret. */
function urlProblems({ source }: ImageRequest): string[] {
  if (!('url' in source)) return []
  const url = URL.canParse(source.url) ? new URL(source.url) : undefined
  if (!url) return [`source.url is ${show(source.url)}, wanted a URL`]
  if (url.username || url.password)
    return ['source.url has a user name or password in it, wanted none: events are not secret']
  return url.href === source.url ? [] : [`source.url is ${show(source.url)}, wanted its plain form ${show(url.href)}`]
}

function pushProblems({ push, publish }: ImageRequest): string[] {
  if (!push)
    return publish?.follow ? ['publish.follow is there and push is not, wanted a tag that can be followed'] : []
  return [
    ...problemIn('push.repository', () => parseRepository(push.repository)),
    ...problemIn('push.tag', () => parseTag(push.tag)),
  ]
}

function problemIn(path: string, parse: () => unknown): string[] {
  try {
    parse()
    return []
  } catch (error) {
    return [`${path}: ${messageOf(error)}`]
  }
}

/** A machine's own Secrets are in the same namespace. */
function secretProblems({ secrets = [] }: ImageRequest): string[] {
  const names = secrets.map(({ name }) => name)
  return [
    ...twice(names).map((name) => `secrets has ${show(name)} twice, wanted each name once`),
    ...names
      .filter((name) => /-(cloudinit|sysprep)$/.test(name))
      .map((name) => `secrets has ${show(name)}, wanted another ending: that one is of machines`),
  ]
}

async function customizationProblems(
  tree: Tree,
  { customization, customizationName: name }: ImageRequest,
): Promise<string[]> {
  if (name === undefined) return []
  if (customization) return ['customization and customizationName are both there, wanted one of them']
  const path = customizationFile(name)
  const found = await readChecked(tree, path, Customization)
  if (!found) {
    const known = await namesIn(tree, 'customizations')
    return [`customizationName is ${show(name)}, wanted one that there is: ${listed(known, 20)}`]
  }
  if (!found.ok) return found.problems
  return found.value.disk ? [] : [`${path} says nothing of disks, wanted its field "disk"`]
}
