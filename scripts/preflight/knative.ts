import { type Answer, map } from './answer.ts'
import type { Area, Data, List, Named } from './area.ts'
import type { Asker } from './ask.ts'
import { cannotTell, type Finding, judge, lacks, ok } from './finding.ts'
import { checkServed, isInstalled, type Kind, readServed, type Served } from './served.ts'
import { isAtLeast } from './version.ts'

/** Knative Eventing and Serving: kinds, versions and feature flags. What holds of a Broker is in `broker.ts`. */

interface Flag {
  name: string
  /** What holds where nobody has set it. */
  byDefault: 'enabled' | 'disabled'
  why: string
}

interface Part {
  title: string
  namespace: string
  least: string
  why: string
  kinds: Kind[]
  flags: Flag[]
}

export interface PartFacts {
  served: Served[]
  versions: Answer<string[]>
  flags: Answer<Record<string, string>>
}

const eventingPart: Part = {
  title: 'Knative Eventing',
  namespace: 'knative-eventing',
  least: '1.12',
  why: 'Triggers filter by `filters`',
  kinds: [
    { group: 'eventing.knative.dev', version: 'v1', plural: 'brokers' },
    { group: 'eventing.knative.dev', version: 'v1', plural: 'triggers' },
    { group: 'sources.knative.dev', version: 'v1', plural: 'pingsources' },
    {
      group: 'eventing.knative.dev',
      version: 'v1alpha1',
      plural: 'requestreplies',
      optional: {
        without: 'nobody gets the end of a run as the answer to a request',
        todo: 'install Knative Eventing 1.20 or newer, or use the component broker/components/no-request-reply',
      },
    },
    {
      group: 'eventing.knative.dev',
      version: 'v1alpha1',
      plural: 'eventpolicies',
      optional: {
        without: 'the Broker cannot hold senders to what they may post',
        todo: 'install Knative Eventing 1.15 or newer',
      },
    },
  ],
  flags: [
    { name: 'new-trigger-filters', byDefault: 'enabled', why: 'Triggers filter by `filters`' },
    { name: 'delivery-timeout', byDefault: 'enabled', why: '`verify` may wait for 90 s' },
  ],
}

const servingPart: Part = {
  title: 'Knative Serving',
  namespace: 'knative-serving',
  least: '1.15',
  why: 'its sidecar is let into a namespace of restricted Pods',
  kinds: [{ group: 'serving.knative.dev', version: 'v1', plural: 'services' }],
  flags: [
    {
      name: 'kubernetes.podspec-volumes-emptydir',
      byDefault: 'enabled',
      why: 'functions keep a clone of the fleet repository in an emptyDir',
    },
  ],
}

const area = (part: Part): Area<PartFacts> => ({
  title: part.title,
  read: (ask) => read(part, ask),
  check: (facts) => checkPart(part, facts),
})

export const eventing = area(eventingPart)
export const serving = area(servingPart)

async function read(part: Part, ask: Asker): Promise<PartFacts> {
  const [served, versions, flags] = await Promise.all([
    readServed(ask, part.kinds),
    readVersions(ask, part.namespace),
    ask.get<Data>(`/api/v1/namespaces/${part.namespace}/configmaps/config-features`),
  ])
  return { served, versions, flags: map(flags, ({ data = {} }) => data) }
}

/** The versions that a part's Deployments say they are of. */
export async function readVersions(ask: Asker, namespace: string): Promise<Answer<string[]>> {
  const deployments = await ask.get<List<Named>>(`/apis/apps/v1/namespaces/${namespace}/deployments`)
  const label = 'app.kubernetes.io/version'
  return map(deployments, ({ items }) => [...new Set(items.flatMap(({ metadata }) => metadata.labels?.[label] ?? []))])
}

function checkPart(part: Part, { served, versions, flags }: PartFacts): Finding[] {
  const install = `install ${part.title} ${part.least} or newer: https://knative.dev/docs/install/`
  const kinds = checkServed(served, install)
  // What is not installed has neither version nor flags.
  if (!isInstalled(served)) return kinds
  return [
    ...kinds,
    ...judge(versions, `The Deployments of ${part.namespace}`, unversioned(part), (all) => checkVersions(part, all)),
    ...judge(flags, 'ConfigMap config-features', ok('No feature flag is set, all are as they come'), (data) =>
      part.flags.map((flag) => checkFlag(part, flag, data[flag.name])),
    ),
  ]
}

const unversioned = ({ title, least, why }: Part) =>
  cannotTell(`${title} does not say its version`, `see that it is ${least} or newer: ${why}`)

function checkVersions(part: Part, versions: string[]): Finding {
  const known = versions.filter((version) => isAtLeast(version, part.least) !== undefined)
  const old = known.find((version) => !isAtLeast(version, part.least))
  if (known.length === 0) return unversioned(part)
  if (old === undefined) return ok(`${part.title} is ${known.join(', ')}`)
  return lacks(`${part.title} is ${old}`, `upgrade it to ${part.least} or newer: ${part.why}`)
}

const operated: Record<string, string> = {
  'knative-eventing': 'KnativeEventing',
  'knative-serving': 'KnativeServing',
}

function checkFlag({ namespace }: Part, flag: Flag, value: string | undefined): Finding {
  if ((value ?? flag.byDefault).toLowerCase() !== 'disabled') return ok(`Feature ${flag.name} is not switched off`)
  const patch = JSON.stringify({ data: { [flag.name]: 'enabled' } })
  const command = `kubectl patch configmap config-features -n ${namespace} --type merge -p '${patch}'`
  const says = `Feature ${flag.name} is switched off, but ${flag.why}`
  return lacks(says, `${command}, or where an operator keeps it, spec.config.features of its ${operated[namespace]}`)
}
