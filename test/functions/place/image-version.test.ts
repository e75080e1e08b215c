import { describe, expect, it } from 'vitest'
import { withVersion } from '../../../functions/place/image-version.ts'
import { undecided } from '../../../functions/place/planned.ts'
import type { GoldenImages } from '../../../shared/golden-images.ts'
import type { Image } from '../../../shared/schema/machine.ts'
import { notYet, type Outcome, type Run, refused, succeeded } from '../../../shared/step.ts'
import { foundOut, runWith } from '../build/runs.ts'

const placed = succeeded('Placed web-01 on site-a', { cluster: 'site-a', placementReason: 'it is named' })
const placing = (image: Image = { dataSource: 'rhel9', namespace: 'os-images' }): Run => {
  const { machine } = foundOut()
  return runWith('place', foundOut(machine && { machine: { ...machine, image } }))
}

/** One cluster that has one golden image, which stands for a disk or for nothing yet. */
const images = (version?: string): Pick<GoldenImages, 'version'> => ({
  version: async (...where) => (where.join('/') === 'site-a/os-images/rhel9' ? version : undefined),
})
const asked: Pick<GoldenImages, 'version'> = { version: () => Promise.reject(new Error('asked')) }

describe('the golden image of a machine that is placed', () => {
  it('is noted as what it stands for on the cluster, beside what is known of the place', async () => {
    expect(await withVersion(placing(), placed, images('pvc golden/rhel9-4f2a'))).toEqual({
      kind: 'succeeded',
      message: 'Placed web-01 on site-a',
      facts: { cluster: 'site-a', placementReason: 'it is named', imageVersion: 'pvc golden/rhel9-4f2a' },
    })
  })

  it('leaves the place as it is where it stands for nothing yet', async () => {
    expect(await withVersion(placing(), placed, images())).toBe(placed)
  })

  it.each<[string, Run, Outcome]>([
    ['the machine was not placed', placing(), refused('Cannot place web-01', { cluster: 'site-a' })],
    ['the machine is not placed yet', placing(), notYet('Still waiting')],
    ['no cluster is known', placing(), { kind: 'succeeded', message: 'Placed web-01' }],
    ['a plan leaves the cluster to OCM', placing(), succeeded('OCM would choose', { cluster: undecided })],
    ['the machine is made from a registry', placing({ registry: 'docker://registry.example.com/rhel9' }), placed],
    ['the run has no machine', runWith('place', {}), placed],
  ])('is not asked for where %s', async (_, run, outcome) => {
    expect(await withVersion(run, outcome, asked)).toBe(outcome)
  })
})
