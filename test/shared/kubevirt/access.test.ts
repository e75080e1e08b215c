import { expect, it } from 'vitest'
import { access } from '../../../shared/kubevirt/access.ts'
import { linuxServer } from './definitions.ts'

it('the owner of a machine may see it and use its console, and nothing else', () => {
  const metadata = {
    name: 'web-01-owner',
    namespace: 'shop',
    labels: expect.objectContaining({ 'drover.dev/machine': 'web-01' }),
  }
  const apiGroup = 'rbac.authorization.k8s.io'
  const only = { resourceNames: ['web-01'], verbs: ['get'] }
  const consoles = ['virtualmachineinstances/console', 'virtualmachineinstances/vnc']
  expect(access(linuxServer())).toEqual([
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata,
      rules: [
        { apiGroups: ['kubevirt.io'], resources: ['virtualmachines', 'virtualmachineinstances'], ...only },
        { apiGroups: ['subresources.kubevirt.io'], resources: consoles, ...only },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup, kind: 'Role', name: 'web-01-owner' },
      subjects: [{ apiGroup, kind: 'Group', name: 'team-shop' }],
    },
  ])
})
