import { randomOf } from './random.ts'
import { frail, type Life, type Wanted } from './wanted.ts'

/** A golden image that is made and made again, twice at once now and then; in a namespace where Jobs fail it is not. */
export function imageLife(seed: string, number: number, faulty: boolean): Life<Wanted> {
  const random = randomOf(seed, 'image', number)
  const isFrail = faulty && random.chance(0.25)
  const name = `img-${number}`
  const wanted = (expected: Wanted['expected']): Wanted => ({
    lifecycle: 'golden-image',
    data: request(name, isFrail, random.chance(0.4)),
    expected,
    ...(random.chance(0.2) && { again: random.of(['at once', 'later']) }),
  })
  const builds = 1 + random.below(3)
  const waves = Array.from({ length: builds }, () => {
    if (isFrail) return [wanted('rolledback')]
    return random.chance(0.25) ? [wanted('either'), wanted('either')] : [wanted('completed')]
  })
  return { name, about: 'image', waves }
}

const request = (image: string, isFrail: boolean, isPushed: boolean) => ({
  ...{ namespace: isFrail ? `golden-${frail}` : 'golden', cluster: 'site-a', image, size: '30Gi' },
  source: { dataSource: 'rhel9', namespace: 'openshift-virtualization-os-images' },
  customization: { update: true, rootPassword: { secret: image, key: 'password' } },
  secrets: [
    {
      ...{ name: image, store: 'platform', storeKind: 'ClusterSecretStore' },
      data: { password: { key: 'golden/rhel' } },
    },
  ],
  ...(isPushed && { push: { repository: `registry.example.com/golden/${image}`, tag: '1' } }),
  publish: { keep: 1 },
})
