import { describe, expect, it } from 'vitest'
import { type FunctionName, functionNames } from '../../shared/lifecycles.ts'
import { kustomize } from './kustomize.ts'
import { find, type Selector } from './manifest.ts'
import { posters } from './posters.ts'

const objects = kustomize('broker')
const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy').map(({ spec }) => spec)
const policy = (name: string) => find(objects, 'NetworkPolicy', name).spec

const service = 'serving.knative.dev/service'
const matches = ({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Record<string, string>) =>
  Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
  matchExpressions.every(({ key, values }) => values.includes(labels[key] ?? ''))

/** Where a function may connect to: `dns`, a namespace, or an address outside of the cluster, each with its port. */
function egress(name: FunctionName): string[] {
  const rules = policies
    .filter(({ podSelector }) => matches(podSelector, { [service]: name }))
    .flatMap(({ egress = [] }) => egress)
  const found = rules.flatMap(({ to = [], ports }) =>
    to.flatMap(({ namespaceSelector, ipBlock }) => {
      const namespace = namespaceSelector?.matchLabels?.['kubernetes.io/metadata.name']
      const place = namespace ?? (ipBlock?.cidr === '0.0.0.0/0' ? 'outside' : undefined)
      return place === undefined ? [] : ports.map(({ port }) => `${place}:${port}`)
    }),
  )
  return [...new Set(found)].sort()
}

const toBroker = ['knative-eventing:8080', 'knative-eventing:8443']
const table: Record<FunctionName, string[]> = {
  validate: ['outside:22', 'outside:443'],
  allocate: ['outside:22', 'outside:443'],
  locate: ['outside:22', 'outside:443', 'outside:6443'],
  place: ['outside:22', 'outside:443', 'outside:6443'],
  register: ['outside:22', 'outside:443'],
  build: ['outside:22', 'outside:443'],
  commit: ['outside:22', 'outside:443'],
  verify: ['outside:443', 'outside:53', 'outside:6443'],
  notify: ['outside:443'],
  recover: ['outside:22', 'outside:443', 'outside:6443'],
}

describe('the network', () => {
  it('lets nothing in or out unless a policy says so', () => {
    expect(policy('deny')).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] })
  })

  it.each(functionNames)('lets %s out to where it has something to do', (name) => {
    expect(egress(name)).toEqual([...(posters.includes(name) ? toBroker : []), ...table[name]].sort())
  })

  it.each(functionNames)('lets %s ask for names', (name) => {
    const { podSelector, egress } = policy('to-dns')
    expect(matches(podSelector, { [service]: name })).toBe(true)
    expect(egress?.[0].ports).toContainEqual({ port: 53, protocol: 'UDP' })
  })

  it('lets what is exported out to a collector with the component for it, and not without', () => {
    const added = kustomize('test/broker-yaml/with-otlp').filter(
      ({ kind, metadata }) => !objects.some((one) => one.kind === kind && one.metadata.name === metadata.name),
    )
    expect(added.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual(['NetworkPolicy to-collector'])
    const [{ podSelector, egress } = policy('deny')] = added.map(({ spec }) => spec)
    expect(podSelector).toEqual({})
    expect(egress?.[0].ports).toEqual([{ port: 4318, protocol: 'TCP' }])
    expect(egress?.[0].to?.[0]?.namespaceSelector?.matchExpressions?.[0]?.values).toContain('opentelemetry')
  })

  it('never lets a function reach the addresses where clouds give out credentials', () => {
    const blocks = policies.flatMap(({ egress = [] }) => egress.flatMap(({ to = [] }) => to))
    const open = blocks.flatMap(({ ipBlock }) => (ipBlock?.cidr === '0.0.0.0/0' ? ipBlock : []))
    expect(open.length).toBeGreaterThan(4)
    for (const { except } of open) expect(except).toContain('169.254.0.0/16')
  })

  it('never lets a callback, whose address a request chooses, reach a private address', () => {
    const [v4, v6] = policy('to-callbacks').egress?.[0].to ?? []
    expect(v4?.ipBlock?.except).toEqual([
      '10.0.0.0/8',
      '100.64.0.0/10',
      '127.0.0.0/8',
      '169.254.0.0/16',
      '172.16.0.0/12',
      '192.168.0.0/16',
    ])
    expect(v6?.ipBlock?.except).toEqual(['::1/128', 'fc00::/7', 'fe80::/10'])
  })

  it('lets in Knative’s data plane alone, at its sidecar', () => {
    const ingress = policies.flatMap(({ ingress = [] }) => ingress)
    expect(ingress).toHaveLength(1)
    const [{ from, ports } = { from: [], ports: [] }] = ingress
    expect(ports.map(({ port }) => port)).toEqual([8012, 8112, 9090])
    expect(from?.flatMap(({ namespaceSelector }) => namespaceSelector?.matchExpressions?.[0]?.values)).toEqual([
      'knative-serving',
      'knative-serving-ingress',
      'kourier-system',
      'istio-system',
      'contour-internal',
    ])
  })
})
