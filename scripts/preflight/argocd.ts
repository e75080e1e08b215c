import { parse } from 'yaml'
import { matchesAny } from '../../shared/globs.ts'
import { type Answer, known, map } from './answer.ts'
import type { Area, Data, List, Names } from './area.ts'
import type { Asker } from './ask.ts'
import { advice, cannotTell, type Finding, judge, lacks, ok } from './finding.ts'
import { checkServed, isInstalled, readServed, type Served } from './served.ts'
import { isAtLeast } from './version.ts'

/** Argo CD on the hub: kinds, version, and the settings that would hide or hold up a machine. */

export interface ArgocdFacts {
  served: Served[]
  /** Whether an Application may say `syncPolicy.retry.refresh`. */
  knowsRetryRefresh: Answer<boolean>
  images: Answer<string[]>
  settings: Answer<Record<string, string>>
  isInstalled: boolean
  project: Answer<unknown>
  /** Whether the root Application could be compared with Git. */
  root: Answer<{ isComparable: boolean }>
}

export const argocd: Area<ArgocdFacts> = {
  title: 'Argo CD',
  read,
  check,
}

const group = 'argoproj.io'
const kinds = [
  { group, version: 'v1alpha1', plural: 'applications' },
  { group, version: 'v1alpha1', plural: 'appprojects' },
]

interface Workload {
  spec: { template: { spec: { containers: { image: string }[] } } }
}

interface Application {
  status?: { conditions?: { type: string }[] }
}

async function read(ask: Asker, names: Names): Promise<ArgocdFacts> {
  const { argocd: namespace, project, rootApplication } = names
  const own = `/apis/${group}/v1alpha1/namespaces/${namespace}`
  const apps = `/apis/apps/v1/namespaces/${namespace}`
  const definition = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/applications.argoproj.io'
  const [served, crd, deployments, sets, settings, home, found, root] = await Promise.all([
    readServed(ask, kinds),
    ask.get<{ spec: { versions: { name: string; schema?: unknown }[] } }>(definition),
    ask.get<List<Workload>>(`${apps}/deployments`),
    ask.get<List<Workload>>(`${apps}/statefulsets`),
    ask.get<Data>(`/api/v1/namespaces/${namespace}/configmaps/argocd-cm`),
    ask.get(`/api/v1/namespaces/${names.namespace}`),
    ask.get(`${own}/appprojects/${project}`),
    ask.get<Application>(`${own}/applications/${rootApplication}`),
  ])
  const more = known(sets)?.items ?? []
  return {
    served,
    knowsRetryRefresh: map(crd, ({ spec }) => JSON.stringify(retryIn(spec.versions[0]?.schema)).includes('"refresh"')),
    images: map(deployments, ({ items }) => [...items, ...more].flatMap(imagesOf)),
    settings: map(settings, ({ data = {} }) => data),
    isInstalled: home.state === 'found',
    project: found,
    root: map(root, ({ status }) => ({
      isComparable: !status?.conditions?.some(({ type }) => type === 'ComparisonError'),
    })),
  }
}

const imagesOf = ({ spec }: Workload) => spec.template.spec.containers.map(({ image }) => image)

/** The schema of `spec.syncPolicy.retry`. */
function retryIn(schema: unknown): unknown {
  const path = ['openAPIV3Schema', 'spec', 'syncPolicy', 'retry']
  const next = (at: unknown, name: string) => {
    const { properties, ...rest } = (at ?? {}) as { properties?: Record<string, unknown> } & Record<string, unknown>
    return properties?.[name] ?? rest[name]
  }
  return path.reduce(next, schema) ?? {}
}

function check(facts: ArgocdFacts, names: Names): Finding[] {
  const { served, knowsRetryRefresh, images, settings } = facts
  const { argocd: namespace } = names
  const install = 'install Argo CD: https://argo-cd.readthedocs.io/en/stable/getting_started/'
  const there = checkServed(served, install)
  if (!isInstalled(served)) return there
  const version = versionIn(known(images) ?? [])
  const noSettings = lacks(
    `Namespace ${namespace} has no ConfigMap argocd-cm, so Argo CD does not run there`,
    'name its namespace by --argocd-namespace, and as DROVER_ARGOCD_NAMESPACE in ConfigMap drover-config',
  )
  return [
    ...there,
    ...judge(knowsRetryRefresh, 'The definition of Applications', undefinedApplications, checkRetry),
    ...judge(settings, 'ConfigMap argocd-cm', noSettings, (data) => [
      checkHealth(data, version, namespace),
      checkTracking(data, version),
      ...checkFilters(data),
      // Before Drover is installed nobody knows how they are to be called.
      ...(facts.isInstalled ? checkOwn(facts, names) : []),
    ]),
  ]
}

/** What Drover needs to have there: a project for machines, and what applies the fleet repository's `hub/`. */
function checkOwn({ project, root }: ArgocdFacts, names: Names): Finding[] {
  const todo = 'kubectl apply -k examples/install/argocd, with your repository as docs/install.md says'
  const application = `Application ${names.rootApplication}`
  const noProject = lacks(`Argo CD has no AppProject ${names.project}, which machines are to belong to`, todo)
  const noRoot = lacks(`Argo CD has no ${application}, so nothing that Drover commits is applied`, todo)
  const why = `kubectl get application ${names.rootApplication} -n ${names.argocd} -o jsonpath='{.status.conditions}'`
  return [
    ...judge(project, `AppProject ${names.project}`, noProject, () => ok(`AppProject ${names.project} is there`)),
    ...judge(root, application, noRoot, ({ isComparable }) =>
      isComparable ? ok(`${application} is there`) : lacks(`${application} cannot be compared with Git`, why),
    ),
  ]
}

/** The version that Argo CD's own image has for a tag; a vendor may name images by digest. */
function versionIn(images: string[]): string | undefined {
  return images.map((image) => /argocd\S*:(v?\d+\.\d+\.\d+\S*)$/.exec(image)?.[1]).find((tag) => tag !== undefined)
}

const undefinedApplications = cannotTell(
  'Applications have no CustomResourceDefinition',
  'see that they know syncPolicy.retry.refresh',
)

function checkRetry(isKnown: boolean): Finding {
  if (isKnown) return ok('Its Applications know syncPolicy.retry.refresh')
  return advice(
    'Its Applications do not know syncPolicy.retry.refresh: a mended manifest waits until the retries of the broken one are over',
    'upgrade Argo CD; version 3.5 knows it',
  )
}

function checkHealth(settings: Record<string, string>, version: string | undefined, namespace: string): Finding {
  const key = 'resource.customizations.health.kubevirt.io_VirtualMachine'
  const old = settings['resource.customizations'] ?? ''
  const isOverridden = key in settings || /kubevirt\.io\/VirtualMachine:\s+health/.test(old)
  const name = `Argo CD ${version ?? 'of unknown version'}`
  if (isOverridden) return ok(`${name} has a health check of ours for VirtualMachines`)
  if (version !== undefined && isAtLeast(version, '3.5.3'))
    return ok(`${name} takes a stopped VirtualMachine for healthy`)
  const todo = `kubectl -n ${namespace} patch configmap argocd-cm --type merge --patch-file broker/argocd/health.yaml, which adds ${key}; it does no harm to newer versions`
  if (version === undefined)
    return cannotTell(
      'Argo CD does not say its version; before 3.5.3 it never ends the sync that stops a VirtualMachine',
      todo,
    )
  return lacks(`${name} never ends the sync that stops a VirtualMachine`, todo)
}

function checkTracking(settings: Record<string, string>, version: string | undefined): Finding {
  const isOld = version !== undefined && isAtLeast(version, '3.0') === false
  const method = settings['application.resourceTrackingMethod'] ?? (isOld ? 'label' : 'annotation')
  if (method !== 'label') return ok(`Argo CD tracks what it applied by ${method}`)
  return advice(
    'Argo CD tracks what it applied by a label, which KubeVirt and CDI copy to what they make of a machine',
    'set application.resourceTrackingMethod to annotation in argocd-cm, and restart Argo CD',
  )
}

/** What Drover has Argo CD apply: to managed clusters, and to the hub. */
export const applied: [group: string, kind: string][] = [
  ['kubevirt.io', 'VirtualMachine'],
  ['kubevirt.io', 'VirtualMachineInstanceMigration'],
  ['snapshot.kubevirt.io', 'VirtualMachineSnapshot'],
  ['snapshot.kubevirt.io', 'VirtualMachineRestore'],
  ['cdi.kubevirt.io', 'DataVolume'],
  ['cdi.kubevirt.io', 'DataSource'],
  ['cdi.kubevirt.io', 'DataImportCron'],
  ['batch', 'Job'],
  ['external-secrets.io', 'ExternalSecret'],
  ['externaldns.k8s.io', 'DNSEndpoint'],
  ['', 'Namespace'],
  ['', 'Secret'],
  ['', 'ConfigMap'],
  ['', 'PersistentVolumeClaim'],
  ['rbac.authorization.k8s.io', 'Role'],
  ['rbac.authorization.k8s.io', 'RoleBinding'],
  ['argoproj.io', 'Application'],
  ['cluster.open-cluster-management.io', 'Placement'],
]

interface Filter {
  apiGroups?: string[]
  kinds?: string[]
}

function checkFilters(settings: Record<string, string>): Finding[] {
  const [exclusions, inclusions] = ['resource.exclusions', 'resource.inclusions'].map((name) =>
    filtersIn(settings[name]),
  )
  if (!exclusions || !inclusions)
    return [cannotTell('resource.exclusions or resource.inclusions of argocd-cm is no YAML', 'mend it')]
  const excluded = applied.filter((kind) => exclusions.some((filter) => fits(filter, kind)))
  const left = applied.filter((kind) => inclusions.length > 0 && !inclusions.some((filter) => fits(filter, kind)))
  const names = (list: typeof applied) => list.map(([, kind]) => kind).join(', ')
  return [
    ...(excluded.length === 0
      ? [ok('No resource.exclusions hide what Drover has Argo CD apply')]
      : [lacks(`resource.exclusions of argocd-cm hide ${names(excluded)}`, 'take them out of it')]),
    ...(left.length === 0
      ? []
      : [lacks(`resource.inclusions of argocd-cm leave out ${names(left)}`, 'add them to it')]),
  ]
}

function filtersIn(text = ''): Filter[] | undefined {
  try {
    const filters = (parse(text) ?? []) as unknown
    return Array.isArray(filters) ? filters : undefined
  } catch {
    return undefined
  }
}

/** As Argo CD has it: an empty list fits all, and a star in a group anything. */
function fits({ apiGroups = [], kinds = [] }: Filter, [group, kind]: (typeof applied)[number]): boolean {
  return (
    (apiGroups.length === 0 || matchesAny(apiGroups, group)) &&
    (kinds.length === 0 || kinds.some((one) => one === '*' || one === kind))
  )
}
