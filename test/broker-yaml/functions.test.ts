import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { type FunctionName, functionNames } from '../../shared/lifecycles.ts'
import { kustomize } from './kustomize.ts'
import { find } from './manifest.ts'

const root = new URL('../..', import.meta.url).pathname
const objects = kustomize('broker')
const triggers = kustomize('triggers')
const serviceOf = (name: string) => find(objects, 'Service', name)
const podOf = (name: string) => serviceOf(name).spec.template.spec
const source = (name: FunctionName) => readFileSync(join(root, `functions/${name}/index.ts`), 'utf8')

/** What each function may see of what is secret; the enterprise system's comes with a component. */
const secrets: Record<FunctionName, string[]> = {
  validate: ['drover-signing-keys', 'drover-git-read'],
  allocate: ['drover-signing-keys', 'drover-git'],
  locate: ['drover-signing-keys', 'drover-git', 'drover-clusters'],
  place: ['drover-signing-keys', 'drover-git', 'drover-clusters'],
  register: ['drover-signing-keys', 'drover-git-read'],
  build: ['drover-signing-keys', 'drover-git-read'],
  commit: ['drover-signing-keys', 'drover-git'],
  verify: ['drover-signing-keys', 'drover-clusters'],
  notify: ['drover-signing-keys'],
  recover: ['drover-signing-keys', 'drover-git', 'drover-clusters'],
}

describe('the Services', () => {
  it('are one for each function, and each Trigger wakes the one of its name', () => {
    const names = objects.filter(({ kind }) => kind === 'Service').map(({ metadata }) => metadata.name)
    expect(names.sort()).toEqual([...functionNames].sort())
    expect(triggers.map(({ spec }) => spec.subscriber.ref.name).sort()).toEqual(names)
  })

  it('are where the Broker sends dead letters', () => {
    expect(find(objects, 'Broker', 'default').spec.delivery.deadLetterSink.ref).toEqual({
      apiVersion: 'serving.knative.dev/v1',
      kind: 'Service',
      name: 'recover',
    })
  })

  it.each(functionNames)('%s runs as itself', (name) => {
    expect(serviceOf(name).apiVersion).toBe('serving.knative.dev/v1')
    expect(podOf(name).serviceAccountName).toBe(name)
    expect(find(objects, 'ServiceAccount', name).metadata.namespace).toBe('drover')
    expect(podOf(name).containers).toHaveLength(1)
    expect(podOf(name).containers[0].env).toContainEqual({ name: 'FUNCTION', value: name })
  })

  it.each(functionNames)('%s is pulled with a Secret where the registry asks for one', (name) => {
    const account = (folder: string) => find(kustomize(folder), 'ServiceAccount', name)
    expect(account('test/broker-yaml/with-pull-secret').imagePullSecrets).toEqual([{ name: 'drover-pull' }])
    expect(account('broker').imagePullSecrets).toBeUndefined()
  })

  it.each(functionNames)('%s is not reached from outside the cluster', (name) => {
    expect(serviceOf(name).metadata.labels).toMatchObject({ 'networking.knative.dev/visibility': 'cluster-local' })
  })

  it.each(functionNames)('%s is not root, and changes nothing but its temporary folder', (name) => {
    const { containers, volumes } = podOf(name)
    expect(containers[0].securityContext).toEqual({
      runAsNonRoot: true,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    })
    const readOnly = containers[0].volumeMounts.filter((mount) => mount.readOnly)
    const written = containers[0].volumeMounts.filter((mount) => !mount.readOnly)
    expect(readOnly.length).toBeGreaterThan(0)
    expect(written).toEqual(source(name).includes('shareFleet(') ? [{ name: 'tmp', mountPath: '/tmp' }] : [])
    const kinds = volumes.flatMap((volume) => Object.keys(volume)).filter((key) => key !== 'name')
    expect(new Set(kinds)).toEqual(new Set(written.length > 0 ? ['secret', 'emptyDir'] : ['secret']))
  })

  it.each(functionNames)('%s is asked whether it is well, by what faas-js-runtime answers', (name) => {
    const [{ readinessProbe, livenessProbe, ports }] = podOf(name).containers
    expect(ports).toEqual([{ containerPort: 8080, protocol: 'TCP' }])
    expect(readinessProbe.httpGet).toEqual({ path: '/health/readiness', port: 8080 })
    expect(livenessProbe.httpGet).toEqual({ path: '/health/liveness', port: 8080 })
    // Its start takes half a second on a free CPU; a node may be full.
    expect(livenessProbe.failureThreshold * livenessProbe.periodSeconds).toBeGreaterThanOrEqual(30)
  })

  it.each(functionNames)('%s mounts the Secrets that it uses, and takes no secret from its environment', (name) => {
    const { volumes, containers } = podOf(name)
    const mounted = volumes.flatMap(({ secret }) => secret?.secretName ?? [])
    expect(mounted).toEqual(secrets[name])
    expect(mounted.some((one) => one.startsWith('drover-git'))).toBe(source(name).includes('shareFleet('))
    expect(mounted.includes('drover-clusters')).toBe(source(name).includes('openClusters('))
    expect(containers[0].envFrom).toEqual([{ configMapRef: { name: 'drover-config' } }])
    expect(JSON.stringify(containers[0].env)).not.toContain('valueFrom')
  })

  it.each(functionNames)('%s has a token of the hub only where it reads the hub', (name) => {
    const readsHub = source(name).includes('openClusters(')
    // Knative lets a Service only take the token away.
    expect(podOf(name).automountServiceAccountToken).toBe(readsHub ? undefined : false)
    expect(find(objects, 'ServiceAccount', name).automountServiceAccountToken).toBe(readsHub ? undefined : false)
  })

  it.each(functionNames)('%s has bounds', (name) => {
    const { annotations } = serviceOf(name).spec.template.metadata
    expect(annotations['autoscaling.knative.dev/min-scale']).toMatch(/^[01]$/)
    expect(Number(annotations['autoscaling.knative.dev/max-scale'])).toBeGreaterThan(0)
    expect(podOf(name).containers[0].resources).toEqual({
      requests: { cpu: expect.any(String), memory: expect.any(String) },
      limits: { cpu: expect.any(String), memory: expect.any(String) },
    })
    expect(podOf(name).containerConcurrency).toBeGreaterThan(0)
  })

  it.each(functionNames)('%s may take as long as its Trigger waits, and longer than its own patience', (name) => {
    const timeout = find(triggers, 'Trigger', name).spec.delivery.timeout
    expect(timeout).toMatch(/^PT\d+S$/)
    expect(podOf(name).timeoutSeconds).toBeGreaterThan(Number.parseInt(timeout.slice(2), 10))
    expect(podOf(name).timeoutSeconds).toBeGreaterThan(50)
    expect(podOf(name).responseStartTimeoutSeconds).toBe(podOf(name).timeoutSeconds)
  })

  it.each(functionNames)('%s scales as its func.yaml says', (name) => {
    const { scale, resources } = parse(readFileSync(join(root, `functions/${name}/func.yaml`), 'utf8')).deploy.options
    const { annotations } = serviceOf(name).spec.template.metadata
    const [{ resources: own }] = podOf(name).containers
    expect({
      min: annotations['autoscaling.knative.dev/min-scale'],
      max: annotations['autoscaling.knative.dev/max-scale'],
      concurrency: podOf(name).containerConcurrency,
      memory: own.limits.memory,
    }).toEqual({
      min: String(scale.min),
      max: String(scale.max),
      concurrency: resources.limits.concurrency,
      memory: resources.limits.memory,
    })
  })
})

describe('the Service of commit', () => {
  it('is one instance, always there, which takes many events and pushes them together', () => {
    const { annotations } = serviceOf('commit').spec.template.metadata
    expect(annotations).toMatchObject({
      'autoscaling.knative.dev/min-scale': '1',
      'autoscaling.knative.dev/max-scale': '1',
    })
    expect(podOf('commit').containerConcurrency).toBeGreaterThanOrEqual(200)
  })
})

describe('the sweep', () => {
  it('comes once a minute, by way of the Broker', () => {
    expect(find(objects, 'PingSource', 'sweep').spec).toEqual({
      schedule: '* * * * *',
      contentType: 'application/json',
      data: '{}',
      sink: { ref: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default' } },
    })
  })
})

describe('RequestReply', () => {
  it('asks with the attribute that a run copies, and waits for the one that its last event has', () => {
    expect(find(objects, 'RequestReply', 'runs').spec).toMatchObject({
      brokerRef: { kind: 'Broker', name: 'default' },
      correlationAttribute: 'correlationid',
      replyAttribute: 'replyid',
    })
  })
})
