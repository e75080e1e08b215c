import type { LifecycleName } from '../../shared/lifecycles.ts'
import type { machinesOf } from './machines.ts'

/** What runs on what: a machine or a golden image, and a request of each lifecycle for it. */

/** A machine or a golden image in a namespace of its own. */
export interface Place {
  namespace: string
  name: string
}

type Kind = 'machine' | 'image'

export const cluster = 'site-a'

export type Asked = Exclude<LifecycleName, 'provision'>

/** A request of each lifecycle that leaves no task of it without work. `failures.test.ts` has provision. */
export const requests: Record<Asked, (place: Place) => object> = {
  deprovision: (vm) => ({ ...vm, destroy: ['scratch'], finalSnapshot: true }),
  repave: (vm) => ({ ...vm, image: { registry: `docker://registry.example.com/golden/rhel9@${digest('c')}` } }),
  patch: (vm) => vm,
  snapshot: (vm) => ({ ...vm, snapshot: 'one' }),
  restore: (vm) => ({ ...vm, snapshot: 'clean' }),
  clone: (vm) => ({ ...vm, snapshot: 'clean', as: { name: `${vm.name}-copy` } }),
  resize: (vm) => ({
    ...vm,
    size: { cores: 2, memory: '4Gi' },
    grow: { data: '8Gi' },
    add: [{ name: 'logs', size: '1Gi' }],
    detach: ['scratch'],
  }),
  power: (vm) => ({ ...vm, action: 'restart' }),
  migrate: (vm) => vm,
  'golden-image': ({ namespace, name }) => ({
    ...{ namespace, cluster, image: name, size: '30Gi' },
    source: { url: 'https://cloud.example.com/rhel9.qcow2', checksum: digest('a') },
    customization: { update: true, rootPassword: { secret: 'golden-1', key: 'password' } },
    secrets: [
      {
        name: 'golden-1',
        store: 'platform',
        storeKind: 'ClusterSecretStore',
        data: { password: { key: 'golden/rhel' } },
      },
    ],
    push: { repository: 'registry.example.com/golden/rhel9', tag: '9.6' },
  }),
}

const digest = (digit: string) => `sha256:${digit.repeat(64)}`

/** Machines and images to take for a run, and to give back when they are as they were: those are as good as new ones. */
export function placesOf({ completed, provisioned }: ReturnType<typeof machinesOf>) {
  const free: Record<Kind, Place[]> = { machine: [], image: [] }
  const kindOf = (lifecycle: Asked): Kind => (lifecycle === 'golden-image' ? 'image' : 'machine')
  let count = 0

  const make: Record<Kind, () => Promise<Place>> = {
    /** With data, with a snapshot, and with something done to its root disk since. */
    async machine() {
      count += 1
      const namespace = `shop-${count}`
      const disks = [
        { name: 'data', size: '5Gi' },
        { name: 'scratch', size: '1Gi' },
      ]
      const { name } = await provisioned({ namespace, disks })
      await completed('snapshot', { namespace, name, snapshot: 'clean' })
      await completed('patch', { namespace, name })
      return { namespace, name }
    },
    /** Published once already. */
    async image() {
      count += 1
      const place = { namespace: `golden-${count}`, name: `rhel9-${count}` }
      await completed('golden-image', requests['golden-image'](place))
      return place
    },
  }
  return {
    take: async (lifecycle: Asked) => free[kindOf(lifecycle)].pop() ?? make[kindOf(lifecycle)](),
    /** One that nobody has used, nor is to look at again. */
    fresh: (lifecycle: Asked) => make[kindOf(lifecycle)](),
    giveBack: (lifecycle: Asked, place: Place) => void free[kindOf(lifecycle)].push(place),
  }
}
