import { nearest } from './nearest.ts'

/** Every variable that is read: docs/configuration.md is made from this table, and a test holds `config.ts` to it. */
export interface Setting {
  name: string
  /** What holds when it is not set. */
  value?: string
  /** The same in words, where it is no value. */
  otherwise?: string
  says: string
}

export const settings = {
  'Every function': [
    { name: 'FUNCTION', otherwise: 'any, by event type', says: 'which function this process serves' },
    { name: 'PORT', value: '8080', says: 'where it listens (1 to 65535)' },
    {
      name: 'DROVER_LOG_LEVEL',
      value: 'info',
      says: '`trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`; logs are lines of JSON',
    },
    {
      name: 'DROVER_METRICS_PORT',
      otherwise: '`/metrics` is on `PORT` alone',
      says: 'where [`/metrics`](observability.md#metrics) is served by itself, for who may read it and post nothing (1 to 65535)',
    },
    {
      name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
      otherwise: 'nothing is sent',
      says: "where [traces and metrics](observability.md#to-export) are sent by OTLP over HTTP, as JSON; OpenTelemetry's other variables count then too",
    },
    {
      name: 'DROVER_BROKER_URL',
      otherwise: '`K_SINK`',
      says: 'where progress, and what becomes of dead letters, is posted; without either progress is only logged',
    },
    { name: 'K_SINK', says: "the same, as Knative's SinkBinding sets it" },
    {
      name: 'DROVER_BROKER_TOKEN_FILE',
      says: 'a file with a token that says who posts, for a Broker that asks ([OIDC](identity.md#with-oidc)); read at each use',
    },
    {
      name: 'DROVER_SIGNING_KEYS',
      says: '`id:secret` words, separated by spaces, commas or lines; the first signs, all verify. An id has up to 16 small letters and digits, a secret at least 16 characters. All functions need the same',
    },
    {
      name: 'DROVER_SIGNING_KEYS_FILE',
      says: 'a file with the same, such as a mounted Secret; what is written there is taken up within seconds ([rotation](identity.md#to-rotate-the-keys))',
    },
    {
      name: 'DROVER_PATIENCE_SECONDS',
      value: '50',
      says: 'how long one delivery may wait for the world before it answers "not yet" (0 to 600); below the Triggers\' timeout',
    },
    {
      name: 'DROVER_DEADLINE_MINUTES',
      value: '30',
      says: 'how long a run may take, unless its request says so (0.01 to 1440)',
    },
    {
      name: 'DROVER_UNDO_MINUTES',
      value: '15',
      says: 'how long an undo may take until it is left to a person, unless `deadlineMinutes` of its request is more (0.01 to 1440)',
    },
    {
      name: 'DROVER_GRACE_SECONDS',
      value: '30',
      says: 'how long an error that may pass must last until the run fails of it (0 to 590); below DROVER_PATIENCE_SECONDS. Where it is not set, it is 30 or 0.6 of that, whichever is less',
    },
    {
      name: 'DROVER_QUIET_MINUTES',
      value: '10',
      says: 'how long nothing may be heard of a run until its events are taken for lost and it is made to go on (0.01 to 1440)',
    },
  ],
  'The fleet repository': [
    {
      name: 'DROVER_GIT_URL',
      says: 'where it is: an address of `https`, `http` or `ssh` (`git@host:path` too), without a password',
    },
    {
      name: 'DROVER_GIT_BRANCH',
      value: 'main',
      says: 'the branch that Drover commits to and Argo CD follows, as `targetRevision` of Application `drover-hub` says',
    },
    {
      name: 'DROVER_GIT_USERNAME',
      otherwise: '`x-access-token`',
      says: 'the user name that goes with the token, for servers that look at it',
    },
    { name: 'DROVER_GIT_TOKEN', says: 'the token to push with' },
    {
      name: 'DROVER_GIT_TOKEN_FILE',
      says: 'a file with it, read at each use, so that a rotated Secret is taken up',
    },
    {
      name: 'DROVER_GIT_CA_FILE',
      otherwise: "the system's",
      says: "a file (PEM) with the authorities that may vouch for the server's certificate",
    },
    {
      name: 'DROVER_GIT_SSH_KEY_FILE',
      says: 'for an address of `ssh`: a file with a private key without a passphrase, read at each use',
    },
    {
      name: 'DROVER_GIT_KNOWN_HOSTS_FILE',
      says: "for an address of `ssh`: a file with the server's keys as `ssh-keyscan` prints them, read at each use",
    },
    {
      name: 'HTTPS_PROXY',
      says: 'the proxy for an address of `https`; may hold a user name and a password',
    },
    { name: 'HTTP_PROXY', says: 'the same for an address of `http`' },
    { name: 'ALL_PROXY', says: 'the same for both' },
    { name: 'NO_PROXY', says: 'hosts that are reached without a proxy, separated by commas' },
    {
      name: 'DROVER_GIT_DIRECTORY',
      otherwise: "a folder of the process's own",
      says: 'where the clone is kept warm; it may be lost at any time, and no other container may share it',
    },
    {
      name: 'DROVER_GIT_PUSH_SECONDS',
      otherwise: '`10` at github.com, else `0`',
      says: 'the least time from one push of a function to its next, for a server that wants few (0 to 30); what comes meanwhile goes together',
    },
    { name: 'DROVER_GIT_AUTHOR', value: 'Drover', says: 'the name in commits' },
    { name: 'DROVER_GIT_EMAIL', value: 'drover@localhost', says: 'the address in commits' },
    { name: 'PATH', value: '/usr/bin:/bin', says: 'where `git` and `ssh` are found' },
    { name: 'HOME', otherwise: 'a folder for temporary files', says: "`git`'s home" },
  ],
  'Hub and clusters': [
    {
      name: 'KUBECONFIG',
      says: 'a kubeconfig with a context for each managed cluster, called as its ManagedCluster, and one for the hub',
    },
    { name: 'DROVER_HUB_CONTEXT', value: 'hub', says: "the hub's context" },
    {
      name: 'KUBERNETES_SERVICE_HOST',
      says: 'set by Kubernetes in every Pod: the API server of its own cluster',
    },
    { name: 'KUBERNETES_SERVICE_PORT', value: '443', says: 'the same' },
    {
      name: 'DROVER_ACCESS_REVIEW',
      value: 'false',
      says: "`true`: `validate` asks the hub's RBAC about each requester ([identity](identity.md#the-hubs-rbac))",
    },
    {
      name: 'DROVER_ARGOCD_NAMESPACE',
      value: 'argocd',
      says: "Argo CD's namespace on the hub; Placements live there too",
    },
    {
      name: 'DROVER_ARGOCD_PROJECT',
      value: 'default',
      says: 'the AppProject of the Applications; `broker/argocd/machines-only.yaml` lets the fleet bring no others',
    },
    {
      name: 'DROVER_ARGOCD_ROOT_APPLICATION',
      value: 'drover-hub',
      says: 'the Application that applies `hub/`; no machine may have its name',
    },
    {
      name: 'DROVER_ARGOCD_REPO_URL',
      otherwise: '`DROVER_GIT_URL`',
      says: 'the fleet repository as Argo CD sees it',
    },
    {
      name: 'DROVER_GUESTFS_IMAGE',
      value: 'quay.io/kubevirt/libguestfs-tools:v1.8.0',
      says: 'the container image whose virt-customize changes disks; the one of your KubeVirt, by digest',
    },
    {
      name: 'DROVER_GUESTFS_KVM',
      value: 'true',
      says: 'whether its pods ask their node for `devices.kubevirt.io/kvm`, as machines do; `false` where nodes have none (`useEmulation`): changes then take 5 to 20 times as long',
    },
    {
      name: 'DROVER_PUSH_IMAGE',
      otherwise: 'no golden image is pushed',
      says: 'the container image that golden images are pushed to a registry from: that of the functions, as managed clusters can pull it',
    },
  ],
  Edges: [
    {
      name: 'DROVER_CMDB_CONFIG',
      otherwise: 'no CMDB',
      says: 'a file that describes the calls to the [enterprise system](#the-enterprise-system)',
    },
    { name: 'DROVER_CMDB_TOKEN', says: 'a bearer token for it' },
    { name: 'DROVER_CMDB_TOKEN_FILE', says: 'a file with it, read at each use' },
    {
      name: 'DROVER_DNS_RESOLVERS',
      otherwise: 'names not looked up',
      says: "addresses, separated by commas, that a new machine's names must resolve at",
    },
    {
      name: 'DROVER_CALLBACK_ALLOW_PRIVATE',
      value: 'false',
      says: '`true` lets callbacks go to private addresses, and by http; policy still has to allow the host, and loopback, link-local addresses and those where clouds keep secrets stay out of reach. `loopback` is for runs on one machine: as `true`, and loopback too',
    },
  ],
} satisfies Record<string, Setting[]>

export const settingNames: readonly string[] = Object.values(settings).flatMap((rows) => rows.map(({ name }) => name))

/** A sentence for each variable of ours that is no setting: a misspelt one would else be passed over. */
export function unknownSettings(variables: readonly string[]): string[] {
  const unknown = variables.filter((name) => name.startsWith('DROVER_') && !settingNames.includes(name))
  return unknown
    .filter((name) => !isServiceLink(name))
    .map((name) => {
      const meant = nearest(name, settingNames)
      return `${name} is not a setting${meant === undefined ? '' : ` (did you mean ${meant}?)`}`
    })
}

/** Kubernetes may tell a Pod of each Service of its namespace, for one called `drover-broker` as DROVER_BROKER_PORT. */
const isServiceLink = (name: string) => /_SERVICE_(HOST|PORT)(_[A-Z0-9_]+)?$|_PORT(_\d+_[A-Z]+(_[A-Z]+)?)?$/.test(name)
