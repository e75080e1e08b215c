import type { GoldenImage } from '../schema/golden-image.ts'

/**
 * An image once its run closes: Jobs and Secrets go, the latest disk gets its protection, the one before loses it, and
 * those leave that are more than are kept. A disk that still has its protection stays until the next time, for Argo CD
 * would leave it behind. All this waits for the end, because no undo could bring a disk back.
 */
export function tidyImage({ work: _, current, older, secrets, ...image }: GoldenImage): GoldenImage {
  return {
    ...image,
    secrets: secrets.filter(({ name }) => name === image.follow?.secret),
    ...(current ? { current: { ...current, kept: true } } : {}),
    older: older.filter(({ kept }, at) => at < image.keep || kept).map(({ kept: _, ...build }) => build),
  }
}
