import type { GoldenImages } from '../../shared/golden-images.ts'
import type { Outcome, Run } from '../../shared/step.ts'
import { placedOn } from './planned.ts'

/**
 * Notes what the machine's golden image stands for on its cluster, so that a repave can tell whether it is current. It is
 * asked before the disk is made: an image that is published in between makes a repave too many, never one too few.
 */
export async function withVersion(run: Run, outcome: Outcome, images: Pick<GoldenImages, 'version'>): Promise<Outcome> {
  const image = run.facts.machine?.image
  const cluster = placedOn(outcome)
  if (outcome.kind !== 'succeeded' || cluster === undefined || !image || !('dataSource' in image)) return outcome
  const imageVersion = await images.version(cluster, image.namespace, image.dataSource)
  return imageVersion === undefined ? outcome : { ...outcome, facts: { ...outcome.facts, imageVersion } }
}
