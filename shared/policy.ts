import { hostOf, matchesAny, matchesPlace } from './globs.ts'
import { isInside } from './inside.ts'
import { callbackRule, dataDisksRule, type Rule, reaches, rules, type Subject } from './policy-rules.ts'
import type { Policy } from './schema/fleet-files.ts'
import { show } from './schema/show.ts'

/** Every rule that a request breaks, as sentences; each ends with the policy that holds the rule. */
export function violations(policies: readonly Policy[], subject: Subject): string[] {
  return [
    ...broken([builtIn, ...policies], rules, subject),
    ...unspoken(policies, subject),
    ...unnamedImage(policies, subject),
    ...callbackViolations(policies, subject),
  ]
}

/** The rules of callbacks alone: who is refused for another reason may still be told so. */
export function callbackViolations(policies: readonly Policy[], subject: Subject): string[] {
  return [
    ...broken(policies, [callbackRule], subject),
    ...unspokenCallback(inForce(policies, subject.request.namespace), subject),
  ]
}

/** The rule of the number of data disks alone, for a machine that there is. */
export const dataDisksViolations = (policies: readonly Policy[], namespace: string, dataDisks: number): string[] =>
  broken(policies, [dataDisksRule], { request: { namespace }, machine: {}, name: undefined, dataDisks })

function broken(policies: readonly Policy[], chosen: readonly Rule[], subject: Subject): string[] {
  return inForce(policies, subject.request.namespace).flatMap((policy) =>
    chosen
      .flatMap((rule) => rule(policy.rules, subject))
      .map((sentence) => `${sentence} (policy: ${policy.description})`),
  )
}

/** The policies that hold for a namespace. */
export const inForce = (policies: readonly Policy[], namespace: string) =>
  policies.filter(({ namespaces }) => !namespaces || matchesAny(namespaces, namespace))

/** Holds even where a fleet has no policy: a machine in a namespace of the platform would own the platform. */
const builtIn: Policy = {
  description: 'namespaces of the platform are not for machines',
  rules: { denyNamespaces: ['kube-*', 'openshift', 'openshift-*'] },
}

/** Drover calls from inside the cluster, so a host must be allowed by name before it is called. */
function unspokenCallback(policies: readonly Policy[], { request }: Subject): string[] {
  if (!request.callback || policies.some((policy) => policy.rules.allowCallbackHosts)) return []
  return [`callback.url is ${show(request.callback.url)}, wanted none: no policy has allowCallbackHosts`]
}

/** The cluster fetches, pushes and hands out secrets for whoever asks, so that is allowed by name or not at all. */
function unspoken(policies: readonly Policy[], subject: Subject): string[] {
  const spoken = inForce(policies, subject.request.namespace)
  return Object.entries(reaches).flatMap(([name, words]) =>
    spoken.some((policy) => policy.rules[name as keyof typeof reaches])
      ? []
      : words(subject).map(([path, word]) => `${path} is ${show(word)}, wanted none: no policy has ${name}`),
  )
}

/** A container disk inside a network, where the request has chosen it; one of a template its owners have chosen. */
function unnamedImage(policies: readonly Policy[], { request, machine: { image } }: Subject): string[] {
  if (request.template !== undefined || !image || !('registry' in image)) return []
  const { registry } = image
  const isNamed = inForce(policies, request.namespace).some(({ rules }) =>
    matchesPlace(rules.allowImages ?? [], registry),
  )
  if (isNamed || !isInside(hostOf(registry))) return []
  return [
    `image is ${show(registry)}, wanted one on a public host, or on one that allowImages of a policy names in full`,
  ]
}
