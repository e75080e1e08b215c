import type { GoldenImages, ImageView } from '../../../shared/golden-images.ts'
import type { MachineAddress } from '../../../shared/machines.ts'

/** Nothing of an image. */
export const noImage: ImageView = {
  application: undefined,
  disks: [],
  secrets: [],
  jobs: [],
  sources: [],
  crons: [],
}

type Shown = ImageView | (() => unknown)

/** A cluster that shows these views one after another, and then nothing new; a function is awaited in between. */
export function imagesShowing(...views: Shown[]): Pick<GoldenImages, 'watch'> & { watched: MachineAddress[] } {
  const watched: MachineAddress[] = []
  return {
    watched,
    async *watch({ cluster, namespace, name }, signal) {
      watched.push({ cluster, namespace, name })
      for (const view of views) {
        if (signal.aborted) return
        if (typeof view === 'function') await view()
        else yield view
      }
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
    },
  }
}
