import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Environment } from '../../shared/config.ts'
import { messageOf } from '../../shared/errors.ts'

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
}

declare module 'vitest' {
  export interface ProvidedContext {
    controlPlane: ControlPlane | undefined
  }
}

export type Closing = { close(): Promise<void> }

/**
 * The cluster that KUBECONFIG names; where it names none, one that the control plane's scripts start: with processes that come
 * back when they are killed, where that is wanted.
 */
export async function toControlPlane(
  env: Environment,
  directory: string,
  { respawn = false } = {},
): Promise<ControlPlane & Closing> {
  const { KUBECONFIG, DROVER_TEST_INGRESS, DROVER_TEST_GIT_FOLDER, DROVER_TEST_GIT_URL } = env
  const scripts = scriptsIn(env)
  if (KUBECONFIG) {
    if (!DROVER_TEST_INGRESS || !DROVER_TEST_GIT_FOLDER || !DROVER_TEST_GIT_URL)
      throw new Error(
        'Cannot test on the cluster of KUBECONFIG: DROVER_TEST_INGRESS (the Broker ingress), DROVER_TEST_GIT_FOLDER and DROVER_TEST_GIT_URL (a folder of bare repositories, and where Argo CD reads them) must say how to reach it',
      )
    return {
      kubeconfig: KUBECONFIG,
      kubectl: env['KUBECTL'] ?? 'kubectl',
      ingress: DROVER_TEST_INGRESS,
      repositories: { folder: DROVER_TEST_GIT_FOLDER, url: DROVER_TEST_GIT_URL },
      directory,
      close: async () => undefined,
    }
  }
  const lacking = whyNoControlPlane(env)
  if (lacking) throw new Error(`Cannot test on real controllers: ${lacking}`)
  await built(scripts)
  // On a machine with much to do a controller may miss its time: once more, in a folder of its own.
  const first = await startControlPlane(scripts, join(directory, 'first'), respawn).catch((error: unknown) =>
    messageOf(error),
  )
  if (typeof first !== 'string') return first
  process.stderr.write(`Once more, because this came of the first try: ${first}\n`)
  return startControlPlane(scripts, join(directory, 'second'), respawn)
}

/** Why there are no real controllers here; undefined where there are, or can be started. */
export function whyNoControlPlane(env: Environment): string | undefined {
  const scripts = scriptsIn(env)
  if (env['KUBECONFIG'] || existsSync(join(scripts, 'up.mjs'))) return undefined
  return `KUBECONFIG names no cluster, and ${scripts} has no scripts that would start one (DROVER_CONTROL_PLANE says where they are)`
}

/** The folder of the control plane's scripts. */
export const scriptsIn = (env: Environment): string =>
  resolve(env['DROVER_CONTROL_PLANE'] ?? new URL('../../../shared/control-plane', import.meta.url).pathname)

/** Builds what is not built yet: a quarter of an hour for each group at the first time, nothing after it. */
async function built(scripts: string): Promise<void> {
  const child = spawn(join(scripts, 'build'), ['core', 'virt', 'gitops', 'cli'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`Cannot build the control plane: ${join(scripts, 'build')} ended with ${code}`)
}

/** Starts it from its scripts, group after group, and answers how to end it; all of it ends with this process anyway. */
async function startControlPlane(
  scripts: string,
  directory: string,
  respawn: boolean,
): Promise<ControlPlane & Closing> {
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
    const back = respawn ? ['--respawn'] : []
    const core = await start('up.mjs', '--dir', join(directory, 'core'), ...wanted, ...back)
    const { kubeconfig = '', kubectl = '', broker = '' } = core
    const folder = join(directory, 'git')
    mkdirSync(join(directory, 'logs'), { recursive: true })
    mkdirSync(folder, { recursive: true })
    const [, gitops] = await Promise.all([
      start('virt.mjs', '--kubeconfig', kubeconfig, '--dir', join(directory, 'virt'), '--delay', '100', ...back),
      start(
        'gitops.mjs',
        ...['--kubeconfig', kubeconfig, '--dir', join(directory, 'gitops'), '--git', folder],
        ...sites,
        ...(respawn ? ['--bin', wrapped(dirname(kubectl), join(directory, 'bin'))] : []),
      ),
    ])
    const repositories = { folder, url: gitops?.['git'] ?? '' }
    return { kubeconfig, kubectl, ingress: broker, repositories, directory, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** The GitOps script ends with the first of its programs, so each is put into a shell that starts it again when it is killed. */
function wrapped(programs: string, folder: string): string {
  mkdirSync(folder, { recursive: true })
  symlinkSync(join(programs, 'kubectl'), join(folder, 'kubectl'))
  for (const name of ['argocd', 'ocm-hub'])
    writeFileSync(join(folder, name), again.replace('PROGRAM', join(programs, name)), { mode: 0o755 })
  return folder
}

/** What ends by itself has ended: 137 is a kill. */
const again = `#!/bin/sh
trap 'kill "$child" 2>/dev/null; wait "$child"; exit 0' TERM INT
while :; do
  'PROGRAM' "$@" &
  child=$!
  wait "$child"
  code=$?
  [ "$code" = 137 ] || exit "$code"
  sleep 0.5
done
`

const sites = ['site-a', 'site-b'].flatMap((name) => ['--cluster', name])

const cutAnswers = new URL('cut-answers.ts', import.meta.url).href

/** A script says one line of JSON when it serves, and ends when its standard input does. */
export async function startScript(script: string, args: string[]) {
  const child = spawn(process.execPath, ['--import', cutAnswers, script, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
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

export async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.stdin?.end()
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
  await ended
  clearTimeout(timer)
}
