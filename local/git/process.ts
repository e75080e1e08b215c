import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { GitHost, GitHostConfig } from './host.ts'

/** A Git host in a process of its own: what it is served by is out of reach. */
export type GitHostProcess = Pick<GitHost, 'url' | 'plainUrl' | 'path' | 'close'>

/** What the process says once it listens, or why it cannot. */
export type Started = { addresses: Omit<GitHostProcess, 'close'> } | { problem: string }

/**
 * Starts the Git host in a small process. Each request starts git, and to start a process costs the more the larger the one
 * is that starts it: from within all of Drover it would be ten times as much, with everybody else waiting for it.
 */
export async function startGitProcess(config: GitHostConfig): Promise<GitHostProcess> {
  // It leads a group of its own, so that Ctrl-C does not reach it before those who still use it; it ends when we do.
  const child = fork(new URL('serve.ts', import.meta.url), { execArgv: [], detached: true, env: {} })
  child.send(config)
  const started = await Promise.race([
    once(child, 'message').then(([message]) => message as Started),
    once(child, 'exit').then(
      ([code]): Started => ({ problem: `Cannot start the Git host: its process ended with ${code}` }),
    ),
  ])
  if ('problem' in started) throw new Error(started.problem)
  return {
    ...started.addresses,
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    },
  }
}
