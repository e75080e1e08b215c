import { execFileSync } from 'node:child_process'
import { cpus, loadavg, totalmem } from 'node:os'

/** Where and when something was measured. */
export interface Machine {
  cores: number
  model: string
  memory: string
  node: string
  git: string
  date: string
  commit: string
  /** How many processes wanted the processors in the minute before: more than there are cores, and times are no times. */
  load: number
}

export function thisMachine(): Machine {
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8', cwd: import.meta.dirname }).trim()
  return {
    cores: cpus().length,
    model: cpus()[0]?.model.trim() ?? 'unknown',
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.versions.node,
    git: git('--version').replace('git version ', ''),
    date: new Date().toISOString(),
    commit: git('rev-parse', '--short', 'HEAD'),
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  }
}
