/** A Kubernetes object of ours, as far as tests name its fields: each is there where its kind has it. */
export interface Manifest {
  apiVersion: string
  kind: string
  metadata: {
    name: string
    namespace?: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
    finalizers?: string[]
  }
  spec: Spec
  /** Of a ConfigMap. */
  data: Record<string, string>
  /** Of roles and their bindings. */
  rules: Rule[]
  roleRef: { kind: string; name: string }
  subjects: { kind: string; name: string; namespace?: string }[]
  /** Of a ServiceAccount. */
  automountServiceAccountToken?: false
  imagePullSecrets?: { name: string }[]
}

export interface Rule {
  apiGroups: string[]
  resources: string[]
  verbs: string[]
}

interface GroupKind {
  group: string
  kind: string
}

interface Spec {
  // Service
  template: { metadata: { annotations: Record<string, string> }; spec: Pod }
  // Broker, Trigger, RequestReply, EventPolicy
  broker: string
  config: { kind: string; name: string; namespace: string }
  delivery: { timeout: string; deadLetterSink: { ref: object } }
  subscriber: { ref: { name: string } }
  to: object[]
  from: { sub: string }[]
  // NetworkPolicy
  podSelector: Selector
  ingress?: [Traffic]
  egress?: [Traffic]
  // ValidatingAdmissionPolicy
  failurePolicy: string
  matchConstraints: { resourceRules: object[] }
  matchConditions: [{ expression: string }]
  validations: [{ expression: string }]
  // AppProject, Application
  sourceRepos: string[]
  destinations: { server: string; namespace: string }[]
  clusterResourceWhitelist: GroupKind[]
  namespaceResourceWhitelist: GroupKind[]
  source: { repoURL: string }
  syncPolicy: { retry: { refresh: boolean } }
}

export interface Pod {
  serviceAccountName: string
  automountServiceAccountToken?: false
  containerConcurrency: number
  timeoutSeconds: number
  responseStartTimeoutSeconds: number
  containers: [Container]
  volumes: Volume[]
}

export interface Container {
  image: string
  env: { name: string; value: string }[]
  envFrom: object[]
  ports: object[]
  resources: { limits: { memory: string } }
  volumeMounts: { name: string; mountPath: string; readOnly?: true }[]
  securityContext: object
  readinessProbe: Probe
  livenessProbe: Probe
}

interface Probe {
  httpGet: object
  periodSeconds: number
  failureThreshold: number
}

export interface Volume {
  name: string
  secret?: { secretName: string }
  emptyDir?: object
  projected?: { sources: { serviceAccountToken: { path: string } }[] }
}

export interface Selector {
  matchLabels?: Record<string, string>
  matchExpressions?: { key: string; operator: string; values: string[] }[]
}

export interface Traffic {
  from?: Peer[]
  to?: Peer[]
  ports: { port: number; protocol: string }[]
}

export interface Peer {
  namespaceSelector?: Selector
  ipBlock?: { cidr: string; except?: string[] }
}

/** The object of this kind and name; one that is not there is a test's failure. */
export function find(objects: readonly Manifest[], kind: string, name: string): Manifest {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name)
  if (!found) throw new Error(`Cannot find ${kind} ${name}`)
  return found
}
