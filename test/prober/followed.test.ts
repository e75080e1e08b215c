import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../local/clusters/object.ts'
import { unfollowed } from './followed.ts'

const object = (kind: string, namespace: string, name: string, more: object = {}) =>
  ({ kind, metadata: { namespace, name }, ...more }) as unknown as KubeObject
const application = (name: string, status: string, path = `vms/site-a/shop/${name}/manifests`) =>
  object('Application', 'argocd', name, { spec: { source: { path } }, status: { sync: { status } } })
const ofNamespace = (cluster: string, status: string) =>
  application(`${cluster}.shop`, status, `namespaces/${cluster}/shop`)
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
    const images = ['rhel9', 'fedora'].map((one) =>
      application(`${one}.kube-image`, 'OutOfSync', `images/${one}/manifests`),
    )
    const others = [application('web-01', 'OutOfSync'), ...images]
    const hub = [ofNamespace('site-a', 'OutOfSync'), ofNamespace('site-b', 'Synced'), ...others]
    const differing = ['web-01', 'rhel9.kube-image', 'fedora.kube-image'].map(
      (one) => `Application argocd/${one} of hub is OutOfSync`,
    )
    const there = [namespace('shop', 'web')]
    const site = 'Application argocd/site-a.shop of hub is OutOfSync'
    const said = (name: string, applications: KubeObject[]) =>
      unfollowed(
        files,
        new Map([
          ['hub', applications],
          [name, there],
        ]),
      )
    expect(said('*', hub)).toEqual(differing)
    expect(said('site-a', hub)).toEqual([site, ...differing])
    expect(said('*', hub.slice(0, 1))).toEqual([site])
    expect(said('*', [ofNamespace('site-a', 'Unknown'), ofNamespace('site-b', 'Synced')])).toEqual([
      'Application argocd/site-a.shop of hub is Unknown',
    ])
  })
})
