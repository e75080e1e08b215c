import { join, normalize, relative } from 'node:path'
import { type Environment, newSigningKey, parseConfig } from '../../shared/config.ts'
import { functionNames } from '../../shared/lifecycles.ts'
import { type Answer, known, map } from './answer.ts'
import type { Area, Data, List, Named, Names } from './area.ts'
import type { Asker } from './ask.ts'
import { checkReadiness, type WithConditions } from './conditions.ts'
import { cannotTell, type Finding, judge, lacks, ok } from './finding.ts'

/** The functions as they are installed: their Services, the settings that they start with, and the files that they mount. */

export interface Service extends Named, WithConditions {
  spec: { template: { spec: PodSpec } }
}

interface PodSpec {
  containers: {
    env?: { name: string; value?: string }[]
    envFrom?: { configMapRef?: { name: string }; secretRef?: { name: string } }[]
    volumeMounts?: { name: string; mountPath: string }[]
  }[]
  volumes?: { name: string; secret?: { secretName: string }; configMap?: { name: string } }[]
}

export interface FunctionsFacts {
  isInstalled: Answer<boolean>
  services: Answer<Service[]>
  /** What ConfigMaps hold, and of Secrets the keys alone; by `ConfigMap/name` and `Secret/name`. */
  data: Record<string, Answer<Record<string, string>>>
  brokerUrl: Answer<string | undefined>
}

export const functions: Area<FunctionsFacts> = { title: 'The functions', read, check }

async function read(ask: Asker, { namespace }: Names): Promise<FunctionsFacts> {
  const [home, services, broker] = await Promise.all([
    ask.get<Named>(`/api/v1/namespaces/${namespace}`),
    ask.get<List<Service>>(`/apis/serving.knative.dev/v1/namespaces/${namespace}/services`),
    ask.get<{ status?: { address?: { url?: string } } }>(
      `/apis/eventing.knative.dev/v1/namespaces/${namespace}/brokers/default`,
    ),
  ])
  const isInstalled = home.state === 'missing' ? { state: 'found' as const, value: false } : map(home, () => true)
  const named = [...new Set((known(services)?.items ?? []).flatMap(objectsOf))]
  const data = await Promise.all(named.map(async (name) => [name, await readData(ask, namespace, name)] as const))
  return {
    isInstalled,
    services: map(services, ({ items }) => items),
    data: Object.fromEntries(data),
    brokerUrl: map(broker, ({ status }) => status?.address?.url),
  }
}

/** The values of a Secret are thrown away as soon as they come. */
async function readData(ask: Asker, namespace: string, object: string): Promise<Answer<Record<string, string>>> {
  const [kind, name] = object.split('/')
  const plural = kind === 'Secret' ? 'secrets' : 'configmaps'
  const answer = await ask.get<Data>(`/api/v1/namespaces/${namespace}/${plural}/${name}`)
  return map(answer, ({ data = {} }) =>
    kind === 'Secret' ? Object.fromEntries(Object.keys(data).map((key) => [key, ''])) : data,
  )
}

const podOf = ({ spec }: Service) => spec.template.spec
const containerOf = (service: Service) => podOf(service).containers[0] ?? {}

/** The ConfigMaps and Secrets that a function needs to start. */
function objectsOf(service: Service): string[] {
  const volumes = podOf(service).volumes ?? []
  return [
    ...volumes.flatMap(({ secret, configMap }) =>
      secret ? `Secret/${secret.secretName}` : configMap ? `ConfigMap/${configMap.name}` : [],
    ),
    ...environmentsOf(service),
  ]
}

const environmentsOf = (service: Service): string[] =>
  (containerOf(service).envFrom ?? []).flatMap(({ configMapRef, secretRef }) =>
    configMapRef ? `ConfigMap/${configMapRef.name}` : secretRef ? `Secret/${secretRef.name}` : [],
  )

function check(facts: FunctionsFacts, { namespace }: Names): Finding[] {
  const later = cannotTell(
    `Drover is not installed yet: there is no namespace ${namespace}`,
    'install it as docs/install.md says, then run this again; or name its namespace by --namespace',
  )
  return judge(facts.isInstalled, `Namespace ${namespace}`, later, (isInstalled) => {
    if (!isInstalled) return later
    const none = lacks(`Namespace ${namespace} has no function`, 'kubectl apply -k examples/install/hub')
    return judge(facts.services, 'Knative Services', none, (services) => [
      ...checkServices(services),
      ...checkObjects(services, facts.data, namespace),
      ...checkSettings(services, facts),
    ])
  })
}

function checkServices(services: Service[]): Finding[] {
  const absent = functionNames.filter((name) => !services.some(({ metadata }) => metadata.name === name))
  const findings = checkReadiness('function', 'ksvc', services)
  if (absent.length > 0)
    findings.push(lacks(`There is no function ${absent.join(', ')}`, 'kubectl apply -k examples/install/hub'))
  return findings.length > 0 ? findings : [ok('Every function is Ready')]
}

/** Each object that is needed, once, with the keys that its files are. */
function checkObjects(services: Service[], data: FunctionsFacts['data'], namespace: string): Finding[] {
  const wanted = new Map<string, Set<string>>()
  for (const service of services) {
    for (const object of objectsOf(service)) wanted.set(object, wanted.get(object) ?? new Set())
    for (const { object, key } of filesOf(service)) wanted.get(object)?.add(key)
  }
  return [...wanted].flatMap(([object, keys]) => {
    const answer = data[object] ?? { state: 'missing' as const }
    const [kind, name] = object.split('/')
    const described = `${kind} ${name} of namespace ${namespace}`
    const create = `kubectl create ${kind === 'Secret' ? 'secret generic' : 'configmap'} ${name} -n ${namespace}`
    const files = [...keys].map((key) => ` --from-file=${key}=FILE`).join('')
    const none = lacks(`There is no ${described}, and no function that mounts it can start`, `${create}${files}`)
    return judge(answer, described, none, (content) => {
      const absent = [...keys].filter((key) => !(key in content))
      if (absent.length === 0) return ok(`${described} has what functions need of it`)
      return lacks(`${described} lacks ${absent.join(', ')}`, `add it, as docs/configuration.md says`)
    })
  })
}

/** The files that variables of a function name, as keys of the objects that are mounted there. */
function filesOf(service: Service): { variable: string; object: string; key: string }[] {
  const { env = [], volumeMounts = [] } = containerOf(service)
  return env.flatMap(({ name, value = '' }) => {
    const mount = volumeMounts.find(({ mountPath }) => isIn(mountPath, value))
    const volume = podOf(service).volumes?.find((one) => one.name === mount?.name)
    const object = volume?.secret
      ? `Secret/${volume.secret.secretName}`
      : volume?.configMap && `ConfigMap/${volume.configMap.name}`
    if (!mount || object === undefined) return []
    return [{ variable: name, object, key: relative(mount.mountPath, join('/', value)) }]
  })
}

const isIn = (folder: string, path: string) => normalize(path).startsWith(`${normalize(folder)}/`)

/** What each function would refuse to start with, each sentence once. */
function checkSettings(services: Service[], { data, brokerUrl }: FunctionsFacts): Finding[] {
  const problems = new Set(services.flatMap((service) => problemsOf(service, data)))
  const findings = [...problems].map((problem) =>
    lacks(`Functions refuse to start: ${problem}`, 'mend it in ConfigMap drover-config'),
  )
  const url = services.map((service) => environmentOf(service, data)['DROVER_BROKER_URL']).find(Boolean)
  const listens = known(brokerUrl)
  if (url !== undefined && listens !== undefined && new URL(url).href !== new URL(listens).href)
    findings.push(
      lacks(
        `DROVER_BROKER_URL is ${url}, but the Broker listens at ${listens}`,
        `set it to ${listens} in ConfigMap drover-config`,
      ),
    )
  return findings.length > 0 ? findings : [ok('The settings are such that functions start')]
}

function environmentOf(service: Service, data: FunctionsFacts['data']): Environment {
  const shared = environmentsOf(service).map((object) => known(data[object] ?? { state: 'missing' }) ?? {})
  const own = (containerOf(service).env ?? []).flatMap(({ name, value }) =>
    value === undefined ? [] : [[name, value]],
  )
  return Object.assign({}, ...shared, Object.fromEntries(own))
}

/** What its files hold cannot be looked at from here; that they are there is another check. */
function problemsOf(service: Service, data: FunctionsFacts['data']): string[] {
  const environment = environmentOf(service, data)
  const { env = [], volumeMounts = [] } = containerOf(service)
  const files = env.filter(({ value = '' }) => volumeMounts.some(({ mountPath }) => isIn(mountPath, value)))
  const { problems } = parseConfig({
    ...environment,
    DROVER_SIGNING_KEYS_FILE: undefined,
    DROVER_SIGNING_KEYS: newSigningKey(),
  })
  return problems.filter((problem) => !files.some(({ name }) => problem.startsWith(`${name} `)))
}
