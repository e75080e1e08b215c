import type { Build, GoldenImage } from '../../../shared/schema/golden-image.ts'

export const run = '0123456789abcdef0123'

/** One disk of the image `rhel9`. */
export const build = (change: Partial<Build> = {}): Build => ({
  name: 'rhel9-01234567',
  run,
  requester: 'ann@example.com',
  since: '2030-01-01T00:00:00Z',
  source: { dataSource: 'rhel9', namespace: 'openshift-virtualization-os-images' },
  size: '30Gi',
  ...change,
})

/** A golden image that was published once. */
export const golden = (change: Partial<GoldenImage> = {}): GoldenImage => ({
  name: 'rhel9',
  namespace: 'golden',
  cluster: 'site-a',
  operation: `${run}.publish`,
  dataSource: 'rhel9',
  keep: 3,
  secrets: [],
  current: build({ kept: true }),
  older: [],
  ...change,
})
