import type { FunctionName } from '../../shared/lifecycles.ts'

/** A func.yaml of ours. */
export interface FuncYaml {
  specVersion: string
  name: FunctionName | 'drover'
  runtime: string
  namespace: string
  created: string
  invoke: string
  build?: { builder: string; builderImages: Record<string, string>; buildEnvs: Env[] }
  run?: { envs: Env[]; volumes: FuncVolume[] }
  deploy: {
    serviceAccountName?: string
    labels?: { key: string; value: string }[]
    options?: {
      scale: { min: number; max: number }
      resources: { requests: Amounts; limits: Amounts & { concurrency: number } }
    }
    healthEndpoints: { liveness: string; readiness: string }
  }
}

type Amounts = { cpu: string; memory: string }
type Env = { name?: string; value: string }
type FuncVolume = { path: string; secret?: string; emptyDir?: object }

/** A Knative Service as far as it is looked at here. */
export interface Service {
  metadata: { labels?: Record<string, string> }
  spec: { template: { metadata: { annotations: Record<string, string> }; spec: Pod } }
}

interface Pod {
  serviceAccountName: string
  containerConcurrency: number
  containers: Container[]
  volumes: { name: string; secret?: { secretName: string }; emptyDir?: object }[]
}

interface Container {
  env: Env[]
  envFrom: object[]
  resources: object
  volumeMounts: { name: string; mountPath: string }[]
  livenessProbe: Probe
  readinessProbe: Probe
}

type Probe = { httpGet: { path: string; port: number } }

interface Part {
  labels: Record<string, string>
  scale: { min: number; max: number }
  concurrency: number
  account: string
  env: Record<string, string>
  envFrom: object[]
  resources: object
  /** What is mounted, by its path. */
  mounts: Record<string, object>
  probes: { path: string; port: number }[]
}

/** The part of a Service that func.yaml and broker/ both say. */
export function partOfService({ metadata, spec: { template } }: Service): Part {
  const pod = template.spec
  const { env, envFrom, resources, volumeMounts, livenessProbe, readinessProbe } = pod.containers[0] as Container
  const scale = (bound: string) => Number(template.metadata.annotations[`autoscaling.knative.dev/${bound}-scale`])
  const sourceOf = (name: string) => {
    const { secret, emptyDir } = pod.volumes.find((volume) => volume.name === name) ?? {}
    return secret ? { secret: secret.secretName } : { emptyDir }
  }
  return {
    labels: without(metadata.labels ?? {}, /^(boson\.dev|function\.knative\.dev)\//),
    scale: { min: scale('min'), max: scale('max') },
    concurrency: pod.containerConcurrency,
    account: pod.serviceAccountName,
    // What `func` adds for runtimes of its own.
    env: without(Object.fromEntries(env.map(({ name, value }) => [name, value])), /^(BUILT|ADDRESS)$/),
    envFrom,
    resources,
    mounts: Object.fromEntries(volumeMounts.map(({ name, mountPath }) => [mountPath, sourceOf(name)])),
    probes: [livenessProbe, readinessProbe].map(({ httpGet: { path, port } }) => ({ path, port })),
  }
}

/** The same part of the Service that `func deploy` makes of a func.yaml. */
export function partOfFuncYaml({ run, deploy }: FuncYaml): Part {
  const { labels = [], options, healthEndpoints, serviceAccountName = '' } = deploy
  const { concurrency = 0, ...limits } = options?.resources.limits ?? {}
  const envs = run?.envs ?? []
  return {
    labels: Object.fromEntries(labels.map(({ key, value }) => [key, value])),
    scale: options?.scale ?? { min: Number.NaN, max: Number.NaN },
    concurrency,
    account: serviceAccountName,
    env: Object.fromEntries(envs.flatMap(({ name, value }) => (name ? [[name, value]] : []))),
    envFrom: envs.flatMap(({ name, value }) => {
      const [, map] = /^{{ configMap:([a-z-]+) }}$/.exec(value) ?? []
      return name || !map ? [] : [{ configMapRef: { name: map } }]
    }),
    resources: { requests: options?.resources.requests, limits },
    mounts: Object.fromEntries((run?.volumes ?? []).map(({ path, ...source }) => [path, source])),
    probes: [healthEndpoints.liveness, healthEndpoints.readiness].map((path) => ({ path, port: 8080 })),
  }
}

const without = (record: Record<string, string>, names: RegExp) =>
  Object.fromEntries(Object.entries(record).filter(([name]) => !names.test(name)))
