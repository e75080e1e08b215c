import { AuthorizationV1Api } from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configOf, namespace, startFleet } from '../harness.ts'

const rbac = 'rbac.authorization.k8s.io/v1'
const rules = [{ apiGroups: ['drover.dev'], resources: ['machines'], verbs: ['provision'] }]
const subject = (kind: string, name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name })
const binding = (kind: string, name: string, role: [string, string], subjects: object[], place = {}) => ({
  apiVersion: rbac,
  kind,
  metadata: { name, ...place },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: role[0], name: role[1] },
  subjects,
})
const shop = { namespace: 'shop' }

let fleet: Awaited<ReturnType<typeof startFleet>>
beforeAll(async () => {
  fleet = await startFleet()
  const hub = fleet.clusters.store('hub')
  for (const object of [
    namespace('shop'),
    { apiVersion: rbac, kind: 'Role', metadata: { name: 'asks', ...shop }, rules },
    { apiVersion: rbac, kind: 'ClusterRole', metadata: { name: 'asks' }, rules },
    {
      apiVersion: rbac,
      kind: 'ClusterRole',
      metadata: { name: 'all' },
      rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
    },
    binding('RoleBinding', 'ann', ['Role', 'asks'], [subject('User', 'ann')], shop),
    binding('RoleBinding', 'bob', ['ClusterRole', 'asks'], [subject('User', 'bob'), subject('Group', 'team')], shop),
    binding(
      'RoleBinding',
      'robot',
      ['ClusterRole', 'asks'],
      [{ kind: 'ServiceAccount', name: 'portal', namespace: 'web' }],
      shop,
    ),
    binding('RoleBinding', 'lost', ['Role', 'gone'], [subject('User', 'eve')], shop),
    binding('ClusterRoleBinding', 'root', ['ClusterRole', 'all'], [subject('User', 'root')]),
  ])
    hub.create(object)
})
afterAll(() => fleet.end())

const ask = async (user: string, attributes: object) => {
  const api = configOf(fleet.clusters, 'hub').makeApiClient(AuthorizationV1Api)
  const spec = {
    user,
    resourceAttributes: { group: 'drover.dev', resource: 'machines', verb: 'provision', ...attributes },
  }
  const review = await api.createSubjectAccessReview({ body: { spec } })
  return review.status?.allowed
}

describe('a simulated hub, asked about somebody’s access,', () => {
  it.each<[string, object, boolean]>([
    ['ann', { namespace: 'shop' }, true],
    ['ann', { namespace: 'office' }, false],
    ['ann', { namespace: 'shop', verb: 'deprovision' }, false],
    ['ann', { namespace: 'shop', resource: 'disks' }, false],
    ['ann', { namespace: 'shop', group: 'kubevirt.io' }, false],
    ['bob', { namespace: 'shop' }, true],
    ['team', { namespace: 'shop' }, false],
    ['system:serviceaccount:web:portal', { namespace: 'shop' }, true],
    ['portal', { namespace: 'shop' }, false],
    ['eve', { namespace: 'shop' }, false],
    ['root', { namespace: 'office' }, true],
    ['nobody', { namespace: 'shop' }, false],
  ])('says of %s and %j: %s', async (user, attributes, allowed) => {
    expect(await ask(user, attributes)).toBe(allowed)
  })

  it('refuses a question about nobody', async () => {
    await expect(ask('', {})).rejects.toMatchObject({ code: 400 })
  })
})
