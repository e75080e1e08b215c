import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildBundle } from '../scripts/build.ts'
import { type Real, startReal } from '../test/cluster/platform.ts'
import { prepareControlPlane } from '../test/cluster/prepared.ts'

/** Drover on real controllers, started when it is asked for the first time, and the same for everybody. */
export interface Reality {
  real(): Promise<Real>
  close(): Promise<void>
}

/** Nothing is started yet. */
export function openReality(say: (sentence: string) => void): Reality {
  const ends: (() => Promise<unknown>)[] = []
  let started: Promise<Real> | undefined
  const begin = async () => {
    say('Starting real controllers, which takes a minute or two')
    const directory = await mkdtemp(join(tmpdir(), 'drover-bench-real-'))
    ends.push(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }))
    const [plane] = await Promise.all([prepareControlPlane(directory), buildBundle()])
    ends.push(() => plane.close())
    const real = await startReal(plane, { DROVER_LOG_LEVEL: 'silent' })
    ends.push(() => real.close())
    return real
  }
  return {
    real: () => (started ??= begin()),
    async close() {
      for (const end of ends.splice(0).reverse()) await end()
    },
  }
}
