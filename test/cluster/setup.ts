import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { buildBundle } from '../../scripts/build.ts'
import { environment } from '../../shared/config.ts'
import { openApi } from './api.ts'
import { isBuilt, scriptsOf, startControlPlane } from './control-plane.ts'
import { installDrover } from './install.ts'
import { prepareSite } from './site.ts'

/** Starts the real controllers once for all tests, prepares them as an administrator would, and installs Drover. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const env = environment()
  const bin = env['CONTROL_PLANE_BIN'] ?? join(homedir(), '.cache/drover-control-plane/bin')
  if (!isBuilt(bin)) throw new Error('Cannot start the control plane: its programs are not built')
  const directory = mkdtempSync(join(tmpdir(), 'drover-control-plane-'))
  execFileSync('mkdir', ['-p', join(directory, 'git'), join(directory, 'logs')])
  const [plane] = await Promise.all([startControlPlane(scriptsOf(env), directory), buildBundle()])
  const api = openApi(plane.kubeconfig)
  await Promise.all([prepareSite(api), installDrover(plane)])
  api.close()
  const { close, ...reached } = plane
  project.provide('controlPlane', reached)
  return async () => {
    await close()
    rmSync(directory, { recursive: true, force: true })
  }
}
