import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { buildBundle } from '../../scripts/build.ts'
import { environment } from '../../shared/config.ts'
import { openApi } from './api.ts'
import { toControlPlane } from './control-plane.ts'
import { installDrover } from './install.ts'
import { prepareSite } from './site.ts'

/** Gets at real controllers once for all tests, prepares them as an administrator would, and installs Drover. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), 'drover-control-plane-'))
  for (const folder of ['git', 'logs']) mkdirSync(join(directory, folder))
  const [plane] = await Promise.all([toControlPlane(environment(), directory), buildBundle()])
  const end = async () => {
    await plane.close()
    rmSync(directory, { recursive: true, force: true })
  }
  const api = openApi(plane.kubeconfig)
  try {
    await Promise.all([prepareSite(api), installDrover(plane)])
  } catch (error) {
    await end()
    throw error
  }
  api.close()
  const { close: _, ...reached } = plane
  project.provide('controlPlane', reached)
  return end
}
