import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

/** Real controllers on loopback, and how to reach them. It crosses from the test run's main process to its workers. */
export interface ControlPlane {
  kubeconfig: string
  kubectl: string
  /** The ingress of its Brokers: `<ingress>/<namespace>/<name>`. */
  ingress: string
  /** Bare repositories in this folder are served to Argo CD at this address. */
  repositories: { folder: string; url: string }
  /** Where logs go. */
  directory: string
  /** The managed cluster that is really there. */
  site: string
}

declare module 'vitest' {
  export interface ProvidedContext {
    controlPlane: ControlPlane | undefined
  }
}

/** Where the scripts are that start it: beside this project, unless said otherwise. */
export const scriptsOf = (env: NodeJS.ProcessEnv): string =>
  resolve(env['DROVER_CONTROL_PLANE'] ?? new URL('../../../shared/control-plane', import.meta.url).pathname)

/** Starts it from its scripts, group after group, and answers how to end it; all of it ends with this process anyway. */
export async function startControlPlane(
  scripts: string,
  directory: string,
): Promise<ControlPlane & { close(): Promise<void> }> {
  const started: ChildProcess[] = []
  const start = async (script: string, ...args: string[]) => {
    const { child, said } = await startScript(join(scripts, script), args)
    started.push(child)
    return said
  }
  const close = async () => {
    for (const child of started.reverse()) await endOf(child)
  }
  try {
    const crds = (name: string) => ['--crds', join(scripts, '../crds', name)]
    const wanted = ['knative-serving', 'external-dns', 'external-secrets'].flatMap(crds)
    const core = await start('up.mjs', '--dir', join(directory, 'core'), ...wanted)
    const { kubeconfig = '', kubectl = '', broker = '' } = core
    const folder = join(directory, 'git')
    const [, gitops] = await Promise.all([
      start('virt.mjs', '--kubeconfig', kubeconfig, '--dir', join(directory, 'virt'), '--delay', '100'),
      start(
        'gitops.mjs',
        ...['--kubeconfig', kubeconfig, '--dir', join(directory, 'gitops'), '--git', folder],
        ...sites,
      ),
    ])
    const repositories = { folder, url: gitops?.['git'] ?? '' }
    return { kubeconfig, kubectl, ingress: broker, repositories, directory, site: 'site-a', close }
  } catch (error) {
    await close()
    throw error
  }
}

const sites = ['--cluster', 'site-a', '--cluster', 'site-b']

/** True where its programs have been built. */
export const isBuilt = (bin: string): boolean =>
  ['kube-apiserver', 'broker-ingress', 'virt-controller', 'argocd', 'ocm-hub'].every((name) =>
    existsSync(join(bin, name)),
  )

/** A script says one line of JSON when it serves, and ends when its standard input does. */
async function startScript(script: string, args: string[]) {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  let words = ''
  child.stderr.on('data', (chunk) => {
    words = `${words}${chunk}`.slice(-2_000)
  })
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`Cannot start the control plane: ${script} ended with ${code}: ${words}`)
  })
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), failed])
  failed.catch(() => undefined)
  return { child, said: JSON.parse(String(line)) as Record<string, string> }
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.stdin?.end()
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
  await ended
  clearTimeout(timer)
}
