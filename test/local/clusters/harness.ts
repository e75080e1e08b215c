import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KubeConfig, type KubernetesObject, KubernetesObjectApi } from '@kubernetes/client-node'
import { type Clusters, type ClustersOptions, startClusters } from '../../../local/clusters/clusters.ts'
import type { KubeObject, NewObject } from '../../../local/clusters/object.ts'
import { fieldAt } from '../../../local/clusters/selector.ts'
import type { Store } from '../../../local/clusters/store.ts'

export const url = 'http://127.0.0.1:1/fleet.git'

/** A fleet repository on disk and clusters over it, at full speed; `end` removes both. */
export async function startFleet(options: Partial<ClustersOptions> & { files?: Record<string, unknown> } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'clusters-'))
  const path = join(folder, 'fleet.git')
  execFileSync('git', ['init', '-q', '--bare', '-b', 'main', path])
  const { files = { 'hub/README.md': 'the hub' }, ...rest } = options
  const commit = (changes: Record<string, unknown>) => commitTo(path, changes)
  commit(files)
  const start = () => startClusters({ repository: { url, path }, delays: 0, ...rest })
  const remove = () => rmSync(folder, { recursive: true, force: true })
  const clusters = await start().catch((error: unknown) => {
    remove()
    throw error
  })
  const end = async () => {
    await clusters.close()
    remove()
  }
  return { clusters, start, commit, folder, end }
}

/** Commits files (text, or an object as JSON; null removes) and answers the revision. */
function commitTo(path: string, changes: Record<string, unknown>): string {
  const git = (args: string[], input = '') =>
    execFileSync('git', ['--git-dir', path, ...args], { input, stdio: ['pipe', 'pipe', 'ignore'] })
      .toString()
      .trim()
  const tip = git(['for-each-ref', '--format=%(objectname)', 'refs/heads/main'])
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`
  const lines = Object.entries(changes).map(([file, content]) => {
    if (content === null) return `D ${file}\n`
    return `M 100644 inline ${file}\n${data(typeof content === 'string' ? content : JSON.stringify(content))}`
  })
  const head = `commit refs/heads/main\ncommitter A <a@example.org> ${Math.floor(Date.now() / 1000)} +0000\n${data('change')}`
  git(['fast-import', '--quiet', '--force'], `${head}${tip ? `from ${tip}\n` : ''}${lines.join('')}done\n`)
  return git(['rev-parse', 'refs/heads/main'])
}

export type Fitting = Record<string, unknown>

/** Waits, by events alone, until an object's fields are as wanted; says what it was when it never was. */
export function until(store: Store, kind: string, place: string, wanted: Fitting): Promise<KubeObject> {
  const fits = (object: KubeObject | undefined) =>
    object !== undefined && Object.entries(wanted).every(([path, value]) => fieldAt(object, path) === value)
  return wait(store, kind, place, fits) as Promise<KubeObject>
}

/** Waits until there is no such object. */
export async function untilGone(store: Store, kind: string, place: string): Promise<void> {
  await wait(store, kind, place, (object) => object === undefined)
}

function wait(
  store: Store,
  kind: string,
  place: string,
  test: (object: KubeObject | undefined) => boolean,
): Promise<KubeObject | undefined> {
  const [name = '', namespace = ''] = place.split('/').reverse()
  const now = () => store.get(kind, namespace, name)
  return new Promise((resolve, reject) => {
    const finish = (act: () => void) => {
      stop()
      clearTimeout(timer)
      act()
    }
    const check = () => {
      const object = now()
      if (test(object)) finish(() => resolve(object))
    }
    const stop = store.subscribe((change) => {
      if (change.kind.kind === kind && change.object.metadata.name === name) check()
    })
    const timer = setTimeout(
      () =>
        finish(() =>
          reject(new Error(`${kind} ${place} never fitted: it is ${JSON.stringify(now()?.['status'] ?? now())}`)),
        ),
      4000,
    )
    check()
  })
}

/** What a field of an object said, in order, from now on; the same twice counts once. */
export function record(store: Store, kind: string, name: string, path: string): string[] {
  const seen: string[] = []
  store.subscribe(({ kind: changed, object }) => {
    if (changed.kind !== kind || object.metadata.name !== name) return
    const value = fieldAt(object, path)
    if (value !== undefined && value !== seen.at(-1)) seen.push(String(value))
  })
  return seen
}

/** The real client for a cluster. */
export function configOf({ kubeconfig }: Clusters, cluster: string): KubeConfig {
  const config = new KubeConfig()
  config.loadFromString(JSON.stringify({ ...kubeconfig, 'current-context': cluster }))
  return config
}

export const objectApi = (clusters: Clusters, cluster: string) =>
  KubernetesObjectApi.makeApiClient(configOf(clusters, cluster))

/** The same object in the client's types, which know no undefined fields. */
export const forClient = (object: NewObject | object) => object as KubernetesObject

export const namespace = (name: string): NewObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })

export const configMap = (name: string, more: object = {}): NewObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'shop', ...more },
  data: { a: '1' },
})

export function dataVolume(name: string, spec: object = {}, annotations = {}): NewObject {
  const storage = { resources: { requests: { storage: '10Gi' } } }
  return {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataVolume',
    metadata: { name, namespace: 'shop', annotations },
    spec: { source: { blank: {} }, storage, ...spec },
  }
}

export const golden = {
  source: undefined,
  sourceRef: { kind: 'DataSource', namespace: 'openshift-virtualization-os-images', name: 'rhel9' },
}

/** A machine whose disks are the named claims. */
export function machine(
  name: string,
  {
    disks = [],
    volumes = [],
    spec = {},
    annotations = {},
    mac = '02:00:00:00:00:01',
  }: {
    disks?: string[]
    volumes?: { name: string }[]
    spec?: object
    annotations?: Record<string, string>
    mac?: string
  } = {},
): NewObject {
  const all = [...disks.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })), ...volumes]
  const devices = {
    disks: all.map((volume) => ({ name: volume.name })),
    interfaces: [{ name: 'lan', macAddress: mac, bridge: {} }],
  }
  const template = {
    spec: { domain: { devices }, networks: [{ name: 'lan', multus: { networkName: 'lan' } }], volumes: all },
  }
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: { name, namespace: 'shop', annotations },
    spec: { runStrategy: 'Always', instancetype: { name: 'u1.small' }, template, ...spec },
  }
}

export function application(name: string, spec: object = {}, metadata: object = {}): NewObject {
  const source = { repoURL: url, path: `apps/${name}`, targetRevision: 'main' }
  const syncPolicy = {
    automated: { prune: true, selfHeal: true },
    syncOptions: ['CreateNamespace=true'],
    retry: { refresh: true },
  }
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: 'argocd', finalizers: ['resources-finalizer.argocd.argoproj.io'], ...metadata },
    spec: { project: 'default', source, destination: { name: 'site-a', namespace: 'shop' }, syncPolicy, ...spec },
  }
}

/** Has Argo CD look at Git now. */
export function refresh(store: Store, name: string): void {
  const app = store.get('Application', 'argocd', name)
  if (app)
    store.modify(app, (current) => ({
      ...current,
      metadata: {
        ...current.metadata,
        annotations: { ...current.metadata.annotations, 'argocd.argoproj.io/refresh': 'normal' },
      },
    }))
}

/** Waits until an Application is Synced at a revision. */
export const synced = (store: Store, name: string, revision: string) =>
  until(store, 'Application', `argocd/${name}`, { 'status.sync.status': 'Synced', 'status.sync.revision': revision })

/** A Job that has the named claims mounted, each under its own name. */
export function job(
  name: string,
  {
    disks = [],
    spec = {},
    annotations = {},
    says = {},
  }: { disks?: string[]; spec?: object; annotations?: Record<string, string>; says?: Record<string, string> } = {},
): NewObject {
  const volumes = disks.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } }))
  const pod = { restartPolicy: 'Never', containers: [{ name: 'work', image: 'registry.example.org/work:1' }], volumes }
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: 'shop', annotations },
    spec: { template: { metadata: { annotations: says }, spec: pod }, ...spec },
  }
}

/** Changes the spec of an object as a person would. */
export function change(store: Store, kind: string, name: string, spec: object): KubeObject | undefined {
  const live = store.get(kind, 'shop', name)
  return live && store.modify(live, (current) => ({ ...current, spec: { ...(current['spec'] as object), ...spec } }))
}

/** What is on a claim. */
export const content = (store: Store, claim: string) =>
  store.get('PersistentVolumeClaim', 'shop', claim)?.metadata.annotations?.['local.drover.dev/content']

/** What was said about an object, as `kubectl describe` shows it. */
export const events = (store: Store, name: string) =>
  store
    .list('Event', 'shop')
    .filter(({ involvedObject }) => (involvedObject as { name?: string }).name === name)
    .map(({ reason, message }) => `${reason}: ${message}`)

export function snapshot(name: string, of: string, spec: object = {}, annotations = {}): NewObject {
  return {
    apiVersion: 'snapshot.kubevirt.io/v1beta1',
    kind: 'VirtualMachineSnapshot',
    metadata: { name, namespace: 'shop', annotations },
    spec: { source: { apiGroup: 'kubevirt.io', kind: 'VirtualMachine', name: of }, ...spec },
  }
}

/** A restore as Drover's own: in place, and nothing changes hands. */
export function restore(name: string, from: string, to: string, spec: object = {}, annotations = {}): NewObject {
  const policies = {
    volumeRestorePolicy: 'InPlace',
    volumeOwnershipPolicy: 'None',
    targetReadinessPolicy: 'FailImmediate',
  }
  const target = { apiGroup: 'kubevirt.io', kind: 'VirtualMachine', name: to }
  return {
    apiVersion: 'snapshot.kubevirt.io/v1beta1',
    kind: 'VirtualMachineRestore',
    metadata: { name, namespace: 'shop', annotations },
    spec: { target, virtualMachineSnapshotName: from, ...policies, ...spec },
  }
}
