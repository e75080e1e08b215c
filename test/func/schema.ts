import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'

/**
 * What a func.yaml may say: the JSON Schema that `func` 0.50.1 publishes as schema/func_yaml-schema.json, told again. The ring
 * on real controllers compares the two. `func` itself only warns of what is not in it, and deploys without that.
 */

const text = { type: 'string' }
const flag = { type: 'boolean' }
const count = { type: 'integer', minimum: 0 }
const oneOf = (...words: string[]) => ({ type: 'string', enum: words })
const matching = (pattern: string) => ({ type: 'string', pattern })
const list = (items: object) => ({ type: 'array', items })
const texts = { type: 'object', patternProperties: { '.*': text } }
const fields = (properties: object, rest: object = {}) => ({
  type: 'object',
  properties,
  additionalProperties: false,
  ...rest,
})

const quantity = matching('^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$')
const deployer = oneOf('knative', 'raw', 'keda')
const envs = list(fields({ name: matching('^[-._a-zA-Z][-._a-zA-Z0-9]*$'), value: text }))

const build = fields({
  git: fields({ url: text, revision: text, contextDir: text }),
  builderImages: texts,
  buildpacks: list(text),
  builder: oneOf('pack', 's2i'),
  buildEnvs: envs,
  pvcSize: text,
  remoteStorageClass: text,
  baseImage: text,
  volumes: list(fields({ hostPath: text, path: text }, { required: ['hostPath', 'path'] })),
})

const volume = fields(
  {
    secret: text,
    configMap: text,
    persistentVolumeClaim: fields({ claimName: text, readOnly: flag }),
    emptyDir: fields({ medium: text, sizeLimit: text }),
    path: text,
  },
  { oneOf: ['secret', 'configMap', 'persistentVolumeClaim', 'emptyDir'].map((one) => ({ required: [one] })) },
)

const run = fields({
  volumes: list(volume),
  envs,
  startTimeout: { type: 'integer' },
  kafka: fields(
    { brokers: text, topic: text, consumerGroup: text },
    { required: ['brokers', 'topic', 'consumerGroup'] },
  ),
})

const scale = fields({
  min: count,
  max: count,
  metric: oneOf('concurrency', 'rps'),
  target: { type: 'number', minimum: 0 },
  utilization: { type: 'number', minimum: 1, maximum: 100 },
})

const label = fields(
  {
    key: matching(
      '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\\/)?([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$',
    ),
    value: matching('^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$'),
  },
  { required: ['key'] },
)

const deploy = fields({
  namespace: text,
  image: text,
  annotations: texts,
  options: fields({
    scale,
    resources: fields({
      requests: fields({ cpu: quantity, memory: quantity }),
      limits: fields({ cpu: quantity, memory: quantity, concurrency: count }),
    }),
  }),
  labels: list(label),
  healthEndpoints: fields({ liveness: text, readiness: text }),
  serviceAccountName: text,
  imagePullSecret: text,
  deployer,
  subscriptions: list(fields({ source: text, filters: texts }, { required: ['source'] })),
  managementDisabled: flag,
})

export const funcSchema = fields(
  {
    specVersion: text,
    name: matching('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'),
    domain: text,
    runtime: text,
    registry: text,
    registryInsecure: flag,
    image: text,
    namespace: text,
    deployer,
    created: { type: 'string', format: 'date-time' },
    invoke: oneOf('http', 'cloudevent'),
    ...{ build, run, deploy },
  },
  { required: ['specVersion', 'created'] },
)

const ajv = new Ajv({ allErrors: true, strict: false })
addFormats.default(ajv)
const validate = ajv.compile(funcSchema)

/** What func's schema has against a func.yaml. */
export function faultsOf(value: unknown): string[] {
  validate(value)
  return (validate.errors ?? []).map(({ instancePath, message, params }) =>
    `${instancePath} ${message} ${Object.values(params).join(' ')}`.trim(),
  )
}

/** Any JSON Schema of func's without references and words, to be compared with ours. */
export function bare(schema: unknown, definitions: Record<string, unknown>): unknown {
  if (Array.isArray(schema)) return schema.map((one) => bare(one, definitions))
  if (typeof schema !== 'object' || schema === null) return schema
  const { $ref, ...own } = schema as Record<string, unknown>
  if (typeof $ref === 'string') return bare(definitions[$ref.replace('#/definitions/', '')], definitions)
  const kept = Object.entries(own).filter(([key]) => !/^(\$schema|title|description)/.test(key))
  return Object.fromEntries(kept.map(([key, value]) => [key, bare(value, definitions)]))
}
