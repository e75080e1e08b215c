import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../local/clusters/object.ts'
import { unfollowed } from './followed.ts'

const object = (kind: string, namespace: string, name: string, more: object = {}) =>
  ({ kind, metadata: { namespace, name }, ...more }) as unknown as KubeObject
const application = (name: string, status: string) =>
  object('Application', 'argocd', name, { status: { sync: { status } } })
const namespace = (name: string, tier: string) =>
  ({ kind: 'Namespace', metadata: { name, labels: { tier } } }) as unknown as KubeObject
const files = new Map([
  ['namespaces/site-a/shop/namespace.yaml', JSON.stringify(namespace('shop', 'web'))],
  ['vms/site-a/shop/web-01/values.yaml', 'not a manifest'],
])

describe('what clusters do not do as Git says', () => {
  it.each<[string, KubeObject[], string[]]>([
    ['nothing', [namespace('shop', 'web')], []],
    ['what is not there', [], ['site-a has no Namespace /shop, which is in Git']],
    ['what is there otherwise', [namespace('shop', 'db')], ['Namespace /shop of site-a is not what Git says']],
  ])('is %s', (_, objects, differing) => {
    expect(unfollowed(files, new Map([['site-a', objects]]))).toEqual(differing)
  })

  it('is an Application that is not in sync, but for two that want one namespace of one API server', () => {
    const hub = [
      application('site-a.shop', 'OutOfSync'),
      application('site-b.shop', 'Synced'),
      application('web-01', 'OutOfSync'),
    ]
    const there = [namespace('shop', 'web')]
    expect(
      unfollowed(
        files,
        new Map([
          ['hub', hub],
          ['*', there],
        ]),
      ),
    ).toEqual(['Application argocd/web-01 of hub is OutOfSync'])
    expect(
      unfollowed(
        files,
        new Map([
          ['hub', hub],
          ['site-a', there],
        ]),
      ),
    ).toEqual(['Application argocd/site-a.shop of hub is OutOfSync', 'Application argocd/web-01 of hub is OutOfSync'])
    expect(
      unfollowed(
        files,
        new Map([
          ['hub', hub.slice(0, 1)],
          ['*', there],
        ]),
      ),
    ).toEqual(['Application argocd/site-a.shop of hub is OutOfSync'])
  })
})
