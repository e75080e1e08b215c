import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { environment } from '../../shared/config.ts'
import { openApi } from './api.ts'
import { type Closing, type ControlPlane, toControlPlane } from './control-plane.ts'
import { installDrover } from './install.ts'
import { prepareSite } from './site.ts'

/** Gets at real controllers, prepares them as an administrator would, and installs Drover. */
export async function prepareControlPlane(directory: string): Promise<ControlPlane & Closing> {
  for (const folder of ['git', 'logs']) mkdirSync(join(directory, folder))
  const plane = await toControlPlane(environment(), directory)
  const api = openApi(plane.kubeconfig)
  try {
    await Promise.all([prepareSite(api), installDrover(plane)])
  } catch (error) {
    await plane.close()
    throw error
  } finally {
    api.close()
  }
  return plane
}
