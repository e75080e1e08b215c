import { expect, it } from 'vitest'
import { openRights } from '../../shared/clients/rights.ts'
import { listening } from '../shared/clients/listening.ts'
import { kustomize } from './kustomize.ts'
import { find } from './manifest.ts'

const plain = kustomize('broker')
const reviewing = kustomize('test/broker-yaml/with-access-review')
const names = (objects: typeof plain) => objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)

it('validate gets the one right that it uses when it asks the hub who may act', async () => {
  const server = await listening(() => ({
    status: 201,
    headers: { 'content-type': 'application/json' },
    body: { status: { allowed: true } },
  }))
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  config.loadFromClusterAndUser({ name: 'hub', server: server.url, skipTLSVerify: true }, { name: 'me', token: 'me' })
  const failure = () => expect.fail('the hub was not asked')
  await openRights({ use: (_, act) => act(config), failure }).may('ann', 'provision', 'shop')
  await server.close()
  expect(server.asked).toMatchObject([{ method: 'POST', path: '/apis/authorization.k8s.io/v1/subjectaccessreviews' }])
  expect(find(reviewing, 'ClusterRole', 'drover-validate').rules).toEqual([
    { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
  ])
  expect(find(reviewing, 'ClusterRoleBinding', 'drover-validate')).toMatchObject({
    roleRef: { kind: 'ClusterRole', name: 'drover-validate' },
    subjects: [{ kind: 'ServiceAccount', name: 'validate', namespace: 'drover' }],
  })
})

it('nothing but that right, a token for it and the way there is added, and nothing without the component', () => {
  const added = names(reviewing).filter((name) => !names(plain).includes(name))
  expect(added.sort()).toEqual([
    'ClusterRole drover-validate',
    'ClusterRoleBinding drover-validate',
    'NetworkPolicy validate-to-hub',
  ])
  // Knative takes no `true` here.
  const hasToken = (objects: typeof plain) => [
    find(objects, 'Service', 'validate').spec.template.spec.automountServiceAccountToken,
    find(objects, 'ServiceAccount', 'validate').automountServiceAccountToken,
  ]
  expect([hasToken(plain), hasToken(reviewing)]).toEqual([
    [false, false],
    [undefined, undefined],
  ])
  const policy = find(reviewing, 'NetworkPolicy', 'validate-to-hub').spec
  expect(policy.podSelector).toEqual({ matchLabels: { 'serving.knative.dev/service': 'validate' } })
})
