import { matchesAny, matchesPlace, naming } from './globs.ts'
import { isFound, patternProblem } from './pattern.ts'
import { bytes } from './quantity.ts'
import type { Policy } from './schema/fleet-files.ts'
import type { Machine } from './schema/machine.ts'
import type { ProvisionRequest } from './schema/provision-request.ts'
import type { ImageRequest } from './schema/requests.ts'
import { listed, show } from './schema/show.ts'

/** What a request is held to by policy: itself, what it makes of a machine, and the name it asks for or would get first. */
export interface Subject {
  request: Pick<ProvisionRequest, 'namespace' | 'ticket' | 'callback'> &
    Partial<Pick<ProvisionRequest, 'template' | 'owner'>>
  /** All of a machine that is new, and of one that there is what is to change. */
  machine: Partial<Machine>
  /** How many data disks the machine would have; undefined where that is not known yet, or does not change. */
  dataDisks?: number
  /** Sizes that disks are to have, beside those of the machine. */
  sizes?: Words
  /** Undefined where the request says nothing of labels. */
  labels?: Readonly<Record<string, string>>
  name: string | undefined
  /** The golden image that is to be made. */
  image?: ImageRequest
  /** Secrets of the namespace that the request itself names, and has not made. */
  secrets?: Words
}

type Rules = Policy['rules']
/** Words of a request, each with where it stands. */
type Words = readonly (readonly [path: string, word: string])[]
/** One rule of a policy, on one subject: a sentence for each way in which it is broken. */
export type Rule = (rules: Rules, subject: Subject) => string[]

/** What a request reaches that its namespace alone does not give it, by the rule that has to allow it by name. */
export const reaches = {
  allowImageSources: ({ image }: Subject): Words =>
    !image || 'dataSource' in image.source
      ? []
      : 'url' in image.source
        ? [['source.url', image.source.url]]
        : [['source.registry', image.source.registry]],
  allowPushes: ({ image }: Subject): Words => (image?.push ? [['push.repository', image.push.repository]] : []),
  allowSecrets: ({ image, secrets = [] }: Subject): Words => [
    ...(image?.secrets ?? []).flatMap(({ store, data }, index) =>
      Object.entries(data).map(([key, one]) => [`secrets[${index}].data.${key}`, `${store}/${one.key}`] as const),
    ),
    ...secrets,
  ],
} as const

/** The hosts that a callback may go to. */
export const callbackRule: Rule = ({ allowCallbackHosts }, { request }) =>
  allowCallbackHosts && request.callback ? callbackSentences(allowCallbackHosts, request.callback.url) : []

/** A rule that a word must match one of some globs. */
const allow =
  (
    globs: (rules: Rules) => readonly string[] | undefined,
    words: (subject: Subject) => Words,
    fits: (globs: readonly string[], word: string) => boolean = matchesAny,
  ): Rule =>
  (rules, subject) => {
    const allowed = globs(rules)
    if (!allowed) return []
    return words(subject)
      .filter(([, word]) => !fits(allowed, word))
      .map(([path, word]) => `${path} is ${show(word)}, wanted ${allowed.length > 0 ? either(allowed) : 'none'}`)
  }

/** A rule that a word must match none of some globs. */
const deny =
  (globs: (rules: Rules) => readonly string[] | undefined, words: (subject: Subject) => Words): Rule =>
  (rules, subject) =>
    words(subject)
      .filter(([, word]) => matchesAny(globs(rules) ?? [], word))
      .map(([path, word]) => `${path} is ${show(word)}, wanted anything but ${either(globs(rules) ?? [])}`)

/** What would have fitted, for a sentence. */
export const either = (globs: readonly string[]) => (globs.length === 1 ? show(globs[0]) : `one of ${listed(globs)}`)

const wordOf = (image: Machine['image']) =>
  'registry' in image ? image.registry : `${image.namespace}/${image.dataSource}`
const allSizes = ({ machine: { rootDisk, disks = [] }, sizes = [], image }: Subject): Words => [
  ...(image ? [['size', image.size] as const] : []),
  ...(rootDisk ? [['rootDisk.size', rootDisk.size] as const] : []),
  ...disks.map(({ size }, index) => [`disks[${index}].size`, size] as const),
  ...sizes,
]

/** An image of a registry is an address, and its host ends where it ends; a `*` alone stands for every image. */
const isImageOf = (globs: readonly string[], word: string) =>
  globs.includes('*') || (word.includes('://') ? matchesPlace : matchesAny)(globs, word)

/** How many data disks a machine may have. */
export const dataDisksRule: Rule = ({ maxDisks }, { dataDisks = 0 }) =>
  maxDisks !== undefined && dataDisks > maxDisks
    ? [`the machine would have ${dataDisks} data disks, wanted at most ${maxDisks}`]
    : []

/** Every rule on what is asked for, but that of callbacks; who may ask is in grants.ts. */
export const rules: readonly Rule[] = [
  allow(
    (rules) => rules.allowNamespaces,
    ({ request }) => [['namespace', request.namespace]],
  ),
  deny(
    (rules) => rules.denyNamespaces,
    ({ request }) => [['namespace', request.namespace]],
  ),
  ({ names }, { name }) => (names && name !== undefined ? nameProblems(names, name) : []),
  deny(
    (rules) => rules.denyNames,
    ({ name }) => (name === undefined ? [] : [['name', name]]),
  ),
  allow(
    (rules) => rules.allowTemplates,
    ({ request }) => (request.template === undefined ? [] : [['template', request.template]]),
  ),
  allow(
    (rules) => rules.allowImages,
    ({ machine, image }) => [
      ...(machine.image ? [['image', wordOf(machine.image)] as const] : []),
      ...(image && 'dataSource' in image.source ? [['source', wordOf(image.source)] as const] : []),
    ],
    isImageOf,
  ),
  allow((rules) => rules.allowImageSources, reaches.allowImageSources, matchesPlace),
  allow((rules) => rules.allowPushes, reaches.allowPushes, matchesPlace),
  allow((rules) => rules.allowSecrets, reaches.allowSecrets),
  allow(
    (rules) => rules.allowNetworks,
    ({ machine }) => (machine.networks ?? []).map(({ network }, index) => [`networks[${index}].network`, network]),
  ),
  // A cluster that OCM chooses is held to by the template's and the request's predicates.
  allow(
    (rules) => rules.allowClusters,
    ({ machine: { placement }, image }) => [
      ...(placement && 'cluster' in placement ? [['placement.cluster', placement.cluster] as const] : []),
      ...(image ? [['cluster', image.cluster] as const] : []),
    ],
  ),
  allow(
    (rules) => rules.allowOwners,
    ({ request: { owner } }) => (owner ? [['owner', `${owner.kind}:${owner.name}`]] : []),
  ),
  allow(
    (rules) => rules.allowInstancetypes,
    ({ machine: { size } }) => (size && 'instancetype' in size ? [['size.instancetype', size.instancetype]] : []),
  ),
  ({ maxCores }, { machine: { size } }) =>
    maxCores !== undefined && size && 'cores' in size && size.cores > maxCores
      ? [`size.cores is ${size.cores}, wanted at most ${maxCores}`]
      : [],
  ({ maxMemory }, { machine: { size } }) =>
    size && 'memory' in size && larger(size.memory, maxMemory)
      ? [`size.memory is ${show(size.memory)}, wanted at most ${show(maxMemory)}`]
      : [],
  dataDisksRule,
  ({ maxDiskSize }, subject) =>
    allSizes(subject)
      .filter(([, size]) => larger(size, maxDiskSize))
      .map(([path, size]) => `${path} is ${show(size)}, wanted at most ${show(maxDiskSize)}`),
  ({ requireTicket }, { request }) =>
    requireTicket && !request.ticket ? ['ticket is missing, wanted the change ticket of this request'] : [],
  ({ requiredLabels = [] }, { labels }) =>
    (labels ? requiredLabels : [])
      .filter((key) => !labels?.[key])
      .map((key) => `labels has no ${show(key)}, wanted a value for it`),
]

function nameProblems({ pattern, wanted }: NonNullable<Rules['names']>, name: string): string[] {
  const problem = patternProblem(pattern)
  if (problem !== undefined) return [`rules.names.pattern ${problem}`]
  return isFound(pattern, name) ? [] : [`name is ${show(name)}, wanted ${wanted}`]
}

const larger = (size: string, limit: string | undefined) => limit !== undefined && bytes(size) > bytes(limit)

/** Without TLS a host must be named together with `http://`: a glob of hosts never opens that door by chance. */
function callbackSentences(allowed: readonly string[], text: string): string[] {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const word = url?.protocol === 'https:' ? url.hostname : `http://${url?.host ?? ''}`
  const globs = naming(allowed, url?.host ?? '').filter(
    (glob) => url?.protocol === 'https:' || glob.startsWith('http://'),
  )
  return matchesAny(globs, word) ? [] : [`callback.url goes to ${show(word)}, wanted ${either(allowed)}`]
}
