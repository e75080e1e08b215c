import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { ControlPlane } from './control-plane.ts'

/** A command line tool: beside kubectl, where the control plane's build puts it, or from PATH. */
export function toolAt({ kubectl }: ControlPlane, name: string): string {
  const beside = join(dirname(kubectl), name)
  return existsSync(beside) ? beside : name
}

export interface Ended {
  code: number | null
  /** Both outputs. */
  said: string
}

/** Runs a tool as the cluster's administrator, with a home of its own; `kn` finds its plugins beside it. */
export async function runTool(
  plane: ControlPlane,
  home: string,
  name: string,
  args: string[],
  more: Record<string, string> = {},
): Promise<Ended> {
  const tool = toolAt(plane, name)
  const child = spawn(tool, args, {
    env: { PATH: `${dirname(tool)}:/usr/bin:/bin`, HOME: home, KUBECONFIG: plane.kubeconfig, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const code = new Promise<number | null>((done, fail) => child.once('error', fail).once('close', done))
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), code])
  return { code: await code, said: out + err }
}
