import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pushBundle } from '../../scripts/build.ts'
import { type PushRequest, toVariables } from '../../shared/images/push-input.ts'

export interface Ended {
  code: number | null
  /** What Kubernetes would show as the container's termination message. */
  message: string
  log: string
  /** The most memory that it had, in MiB. */
  peak: number
  seconds: number
}

/** Runs the program as its Job would, with nothing but the Job's variables. */
export async function runPush(
  directory: string,
  push: Partial<PushRequest> & { repository: string; disk: string },
): Promise<Ended> {
  const result = join(mkdtempSync(join(directory, 'push-')), 'termination-log')
  writeFileSync(result, '')
  const usual = { tag: 'v1', architecture: 'amd64', created: '2026-01-01T00:00:00Z', annotations: {}, insecure: false }
  const env = { ...toVariables({ ...usual, ...push }), PUSH_RESULT: result }
  const began = performance.now()
  const child = spawn(process.execPath, [pushBundle], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let peak = 0
  const timer = setInterval(() => {
    peak = Math.max(peak, peakOf(child.pid))
  }, 50)
  const [out, error, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  clearInterval(timer)
  const seconds = (performance.now() - began) / 1000
  return { code, message: readFileSync(result, 'utf8'), log: out + error, peak, seconds }
}

function peakOf(pid: number | undefined): number {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kilobytes ?? 0) / 1024
  } catch {
    return 0
  }
}

/** The folder that a Secret with these keys is mounted at. */
export function secret(directory: string, keys: Record<string, string>): string {
  const folder = mkdtempSync(join(directory, 'secret-'))
  for (const [key, value] of Object.entries(keys)) writeFileSync(join(folder, key), value)
  return folder
}
