import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { ControlPlane } from './control-plane.ts'

const run = promisify(execFile)
const root = new URL('../..', import.meta.url).pathname

/** Installs Drover as docs/install.md says: the YAML as it is. */
export async function installDrover({ kubectl, kubeconfig }: ControlPlane): Promise<void> {
  for (const folder of ['broker', 'broker/managed-cluster', 'triggers'])
    await run(kubectl, ['--kubeconfig', kubeconfig, 'apply', '-k', folder], { cwd: root })
}
