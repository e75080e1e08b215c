import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { buildBundle } from '../../scripts/build.ts'
import { prepareControlPlane } from './prepared.ts'

/** Gets at real controllers once for all tests, with Drover on them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), 'drover-control-plane-'))
  try {
    const [{ close, ...plane }] = await Promise.all([prepareControlPlane(directory), buildBundle()])
    project.provide('controlPlane', plane)
    return async () => {
      await close()
      rmSync(directory, { recursive: true, force: true })
    }
  } catch (error) {
    rmSync(directory, { recursive: true, force: true })
    throw error
  }
}
