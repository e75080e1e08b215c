import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { KubeObject, NewObject } from '../../local/clusters/object.ts'
import { type FunctionName, functionNames } from '../../shared/lifecycles.ts'
import { kustomize } from '../broker-yaml/kustomize.ts'
import { find } from '../broker-yaml/manifest.ts'
import { bare, funcSchema } from '../func/schema.ts'
import { partOfService, type Service } from '../func/service.ts'
import { openApi } from './api.ts'
import { runTool } from './tools.ts'

/** The real `func` with our func.yaml files: in namespaces of their own, so that the installed functions stay as they are. */

const plane = inject('controlPlane')
if (!plane) throw new Error('Cannot run on the stand-ins: this is about the real func')
const api = openApi(plane.kubeconfig)
const home = mkdtempSync(join(tmpdir(), 'drover-func-'))
const suffix = randomBytes(3).toString('hex')
const namespace = `func-${suffix}`
const image = `127.0.0.1:1/drover@sha256:${'0'.repeat(64)}`
const installed = kustomize('broker')

/** A namespace with what the Services mount. */
const ground = (name: string): NewObject[] => [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
  ...functionNames.map((account) => object('ServiceAccount', account, name)),
  ...['drover-signing-keys', 'drover-git', 'drover-git-read', 'drover-clusters'].map((secret) =>
    object('Secret', secret, name),
  ),
  object('ConfigMap', 'drover-config', name),
]

const object = (kind: string, name: string, namespace: string) => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, namespace },
})

/** What stands in for Knative Serving: a Service has a Route, and is Ready once it is said where its function is. */
function serve() {
  const closing = new AbortController()
  const serving = (async () => {
    while (!closing.signal.aborted) {
      for (const { metadata } of await api.list('Service', namespace))
        if (!metadata.annotations?.['control-plane/url']) await publish(metadata.name)
      await sleep(100)
    }
  })()
  return async () => {
    closing.abort()
    await serving
  }
}

async function publish(name: string): Promise<void> {
  const labels = { 'serving.knative.dev/service': name }
  await api.apply({ apiVersion: 'serving.knative.dev/v1', kind: 'Route', metadata: { name, namespace, labels } })
  const status = { url: `http://${name}.${namespace}.svc.cluster.local` }
  await api.merge('Route', namespace, name, { status }, { subresource: 'status' })
  const annotations = { 'control-plane/url': 'http://127.0.0.1:1' }
  await api.merge('Service', namespace, name, { metadata: { annotations } })
}

/** A copy of a function's folder: `func` writes into it. */
function copyOf(name: FunctionName): string {
  const folder = join(mkdtempSync(join(home, 'copy-')), name)
  cpSync(new URL(`../../functions/${name}`, import.meta.url).pathname, folder, { recursive: true })
  return folder
}

const func = (...args: string[]) => runTool(plane, home, 'func', args)
const deploy = (folder: string, to = namespace) =>
  func('deploy', '-p', folder, '--namespace', to, '--build=false', '--push=false', '--image', image)
const serviceOf = async (name: string, at = namespace) => (await api.get('Service', at, name)) as Service & KubeObject

/** Every place of an object, with what stands there. */
function places(value: unknown, path = ''): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return [[path, value]]
  return Object.entries(value).flatMap(([key, inner]) => places(inner, `${path}/${key}`))
}

/** What is at the place of the Service that broker/ installs, and not in the other; what both say in their own ways aside. */
function missing(from: Service, name: FunctionName): string[] {
  const there = new Map(places(from))
  return places(find(installed, 'Service', name))
    .filter(([path, value]) => there.get(path) !== value && !/namespace|image|env|volume|containerConc/i.test(path))
    .map(([path]) => path.replace('/spec/template/', '').replace('spec/containers/0/', ''))
    .sort()
}

/** What func.yaml has no word for. */
const ofProbes = [
  ...['failureThreshold', 'periodSeconds', 'timeoutSeconds'].map((field) => `livenessProbe/${field}`),
  // Said in broker/ because Knative would fill it in; the same without it.
  'readinessProbe/successThreshold',
]
const ofAnnotations = ['metadata/annotations/autoscaling.knative.dev/scale-to-zero-pod-retention-period']
const ofTheRest = [
  // The same.
  'name',
  'ports/0/containerPort',
  'ports/0/protocol',
  'securityContext/readOnlyRootFilesystem',
  'spec/enableServiceLinks',
  'spec/responseStartTimeoutSeconds',
  'spec/timeoutSeconds',
  'terminationMessagePolicy',
]

/** Whether a function is given the token of its account. */
const asksCluster = (name: string) =>
  (find(installed, 'ServiceAccount', name) as { automountServiceAccountToken?: boolean })
    .automountServiceAccountToken !== false

let stopServing: () => Promise<void>
beforeAll(async () => {
  for (const one of ground(namespace)) await api.apply(one)
  stopServing = serve()
})
afterAll(async () => {
  await stopServing()
  await api.remove('Namespace', '', namespace)
  api.close()
  rmSync(home, { recursive: true, force: true })
})

describe('the schema of func', () => {
  it('is what our tests of func.yaml go by', () => {
    const cache = execFileSync('go', ['env', 'GOMODCACHE'], { encoding: 'utf8' }).trim()
    const file = join(cache, 'knative.dev/func@v0.50.1/schema/func_yaml-schema.json')
    expect(existsSync(file), `${file} comes with the build of func`).toBe(true)
    const { definitions } = JSON.parse(readFileSync(file, 'utf8'))
    expect(funcSchema).toEqual(bare(definitions.Function, definitions))
  })
})

describe('func deploy', () => {
  it.each(functionNames)(
    'makes of functions/%s the Service that broker/ installs, as far as func.yaml can',
    async (name) => {
      const { code, said: words } = await deploy(copyOf(name))
      expect(words).toContain(`Function deployed in namespace "${namespace}"`)
      expect(words).not.toContain('unknown fields')
      expect(code).toBe(0)
      const service = await serviceOf(name)
      expect(partOfService(service)).toEqual(partOfService(find(installed, 'Service', name) as unknown as Service))
      expect(service.spec.template.spec.containers[0]).toMatchObject({
        image,
        securityContext: { runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      })
    },
  )

  it('cannot say some of it, which docs/deploy-with-func.md tells', async () => {
    const unsaid = [...ofProbes, ...ofAnnotations, ...ofTheRest]
    for (const name of functionNames) {
      const token = asksCluster(name) ? [] : ['spec/automountServiceAccountToken']
      expect(missing(await serviceOf(name), name), name).toEqual([...unsaid, ...token].sort())
    }
  })

  it('over the installed Service leaves what it cannot say, but for one annotation and one probe', async () => {
    const before = { ...find(installed, 'Service', 'commit') } as unknown as NewObject
    await api.remove('Service', namespace, 'commit')
    await api.apply({ ...before, metadata: { ...before.metadata, namespace } })
    const { code, said: words } = await deploy(copyOf('commit'))
    expect(words).toContain('Function updated in namespace')
    expect(code).toBe(0)
    const after = await serviceOf('commit')
    expect(partOfService(after)).toEqual(partOfService(find(installed, 'Service', 'commit') as unknown as Service))
    expect(missing(after, 'commit')).toEqual([...ofProbes, ...ofAnnotations].sort())
  })

  it('writes func.yaml anew in its own words, so that it is run on a copy', async () => {
    const folder = copyOf('notify')
    await deploy(folder)
    const written = readFileSync(join(folder, 'func.yaml'), 'utf8')
    expect(written).not.toContain('# Tells the requester')
    expect(written).toContain(`image: ${image}`)
  })

  it('refuses, and says what is missing, where a Secret is not there', async () => {
    const bare = `${namespace}-bare`
    await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: bare } })
    const { code, said: words } = await deploy(copyOf('validate'), bare)
    await api.remove('Namespace', '', bare)
    expect(code).toBe(1)
    for (const name of ['drover-git-read', 'drover-signing-keys'])
      expect(words).toContain(`referenced Secret "${name}" is not`)
    expect(words).toContain('referenced ConfigMap "drover-config" is not present')
    expect(words).toMatch(/ServiceAccount "validate" is not present/)
  })
})

describe('func list, describe and delete', () => {
  it('list the functions, those that kubectl installed as well', async () => {
    for (const at of [namespace, 'drover']) {
      const { code, said: words } = await func('list', '--namespace', at)
      expect(code).toBe(0)
      const names = words
        .split('\n')
        .slice(1)
        .map((line) => line.split(/\s+/)[0])
      expect(names).toEqual(expect.arrayContaining([...functionNames]))
    }
  })

  it.each(['func', 'kn'])('%s describes an installed function, with our Triggers', async (tool) => {
    // Knative Serving would have made it. Its container has another name there, by which func asks the registry for labels.
    await api.apply({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: namespace, namespace: 'drover', labels: { 'serving.knative.dev/revision': '' } },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: namespace } },
        template: {
          metadata: { labels: { app: namespace } },
          spec: { containers: [{ name: 'function', image: 'registry.example.com/drover' }] },
        },
      },
    } as NewObject)
    const args = ['describe', 'validate', '--namespace', 'drover', '--output', 'yaml']
    const { code, said: words } = await runTool(plane, home, tool, tool === 'kn' ? ['func', ...args] : args)
    await api.remove('Deployment', 'drover', namespace)
    expect(words).toContain('name: validate')
    expect(words).toContain('broker: default')
    expect(code).toBe(0)
  })

  it('delete a function', async () => {
    const { code } = await func('delete', 'notify', '--namespace', namespace)
    expect(code).toBe(0)
    expect(await api.get('Service', namespace, 'notify')).toBeUndefined()
    expect(await api.get('Service', 'drover', 'notify')).toBeDefined()
  })
})
