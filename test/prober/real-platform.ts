import { randomBytes } from 'node:crypto'
import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CloudEvent } from '../../local/broker/event.ts'
import { freePorts } from '../../local/free-port.ts'
import { choosePorts } from '../../local/functions.ts'
import type { GitHostConfig } from '../../local/git/host.ts'
import { prepareRepository } from '../../local/git/repository.ts'
import { seedFleet } from '../../local/git/seed.ts'
import { buildBundle, bundle } from '../../scripts/build.ts'
import { environment } from '../../shared/config.ts'
import { functionNames } from '../../shared/lifecycles.ts'
import { writeKubeconfigs } from '../cluster/access.ts'
import { type Api, openApi } from '../cluster/api.ts'
import { toControlPlane } from '../cluster/control-plane.ts'
import { brokerOf, environmentsOn } from '../cluster/environment.ts'
import { installDrover } from '../cluster/install.ts'
import { playNode } from '../cluster/node.ts'
import { isReady, settle, until } from '../cluster/platform.ts'
import { prepareSite } from '../cluster/site.ts'
import { openTap } from '../cluster/tap.ts'
import { lineOf } from './journal.ts'
import { isListening, isReadyAt, type Kept, keep } from './kept.ts'
import type { Platform, Target } from './platform.ts'
import { descendants } from './processes.ts'

const root = new URL('../..', import.meta.url).pathname

/** What is killed of the control plane, by what its command says; its scripts start it again. */
const controlPlane: Record<string, RegExp> = {
  'API server': /\/kube-apiserver /,
  'controller manager': /\/kube-controller-manager /,
  'Broker controllers': /\/eventing-controllers /,
  'Broker ingress': /\/broker-ingress /,
  'Broker filter': /\/broker-filter /,
  'in-memory channels': /\/imc-dispatcher /,
  'Argo CD application controller': /\/bin\/argocd .*--metrics-port=\d+ .*--repo-server=/,
  'Argo CD repository server': /\/bin\/argocd .*--client-ca-path=/,
  'OCM placement': /\/ocm-hub placement /,
  'KubeVirt controller': /\/virt-controller /,
  'KubeVirt API': /\/virt-api /,
}

/**
 * What is stopped for a while instead of killed: the CDI of this control plane makes its signing key when it starts, where the
 * real one keeps it in a Secret. A clone that was asked for before a kill would be refused for its token after it.
 */
const held: Record<string, RegExp> = { CDI: /\/cdi / }

/** What machines and images are made of, on clusters that are one API server here. */
const kinds = [
  'Namespace',
  'Secret',
  'Job',
  'VirtualMachine',
  'VirtualMachineInstanceMigration',
  'VirtualMachineSnapshot',
  'VirtualMachineRestore',
  'DataVolume',
  'PersistentVolumeClaim',
  'DataSource',
  'DataImportCron',
  'ExternalSecret',
  'DNSEndpoint',
  'Role',
  'RoleBinding',
]

/** Drover over the real controllers of a control plane that is started for this, and may be killed part by part. */
export async function startReal(directory: string, settings: Record<string, string>): Promise<Platform> {
  for (const folder of ['logs', 'git']) mkdirSync(join(directory, folder), { recursive: true })
  const [plane] = await Promise.all([toControlPlane(environment(), directory, { respawn: true }), buildBundle()])
  const api = openApi(plane.kubeconfig)
  const kept: Kept[] = []
  const closers: (() => unknown)[] = [() => plane.close(), () => api.close()]
  const close = async () => {
    for (const one of kept.splice(0).reverse()) await one.close()
    for (const end of closers.splice(0).reverse()) await end()
  }
  try {
    await Promise.all([prepareSite(api), installDrover(plane)])
    const name = `fleet-${randomBytes(3).toString('hex')}`
    const [gitPort = 0] = await freePorts(1)
    const token = randomBytes(24).toString('base64url')
    const logs = join(directory, 'logs')
    const repository = join(plane.repositories.folder, `${name}.git`)
    await prepareRepository(repository, 'main', environment())
    await seedFleet(repository, join(root, 'examples/fleet'), { env: environment() })
    const { PATH = '', HOME = '' } = environment()
    const host: GitHostConfig = {
      ...{ directory: plane.repositories.folder, repository: `${name}.git`, port: gitPort, token },
    }
    kept.push(
      await keep({
        name: 'git-host',
        run: [join(root, 'test/prober/parts/git-host.ts'), JSON.stringify(host)],
        env: { PATH, HOME },
        log: join(logs, 'git-host.log'),
        isReady: () => isListening(gitPort),
      }),
    )
    const ports = await choosePorts()
    const addresses = Object.fromEntries(functionNames.map((one) => [one, `http://127.0.0.1:${ports[one]}/`]))
    const kubeconfigs = await writeKubeconfigs(api, plane, directory)
    const repoUrl = `${plane.repositories.url}/${name}.git`
    const broker = brokerOf(plane)
    const environmentOf = environmentsOn({
      ...{ plane, repoUrl, kubeconfigs },
      git: { url: `http://127.0.0.1:${gitPort}/${name}.git`, token },
      clones: join(directory, 'clones'),
    })
    for (const one of functionNames)
      kept.push(
        await keep({
          name: one,
          run: [join(root, 'local/function-process.ts'), bundle, one],
          env: {
            ...environmentOf(one),
            ...{ FUNCTION: one, PORT: String(ports[one]) },
            ...settings,
          },
          log: join(logs, `${one}.log`),
          isReady: () => isReadyAt(addresses[one] ?? ''),
        }),
      )
    await settle(api, repoUrl, (one) => addresses[one] ?? '')
    const journal = join(directory, 'journal.ndjson')
    const tap = await openTap(api, name)
    closers.push(() => tap.close())
    tap.feed.listen(({ json }) => appendFileSync(journal, lineOf(toEvent(json))))
    await until('the tap is ready', async () => isReady(await api.get('Trigger', 'drover', name)))
    const node = playNode(api)
    closers.push(() => node.close())
    return {
      kind: 'real',
      ...{ broker, repository, journal, logs, addresses, close },
      clones: join(directory, 'clones'),
      targets: [
        ...kept.map((one): Target => ({ name: one.name, strike: (pause) => one.kill(pause) })),
        ...Object.entries(controlPlane).map(([part, command]) => toTarget(part, command, api)),
        ...Object.entries(held).map(([part, command]) => toHeld(part, command)),
      ],
      watched: [...kept],
      // Both managed clusters are the one API server.
      sites: [everywhere],
      objects: async (cluster) =>
        (
          await Promise.all((cluster === 'hub' ? ['Application', 'Placement'] : kinds).map((kind) => api.list(kind)))
        ).flat(),
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** The name under which one API server is all managed clusters. */
const everywhere = '*'

/** An event as the feed has it, in the form that the journal takes. */
function toEvent(json: string): CloudEvent {
  const { data, ...attributes } = JSON.parse(json)
  return { attributes, data: Buffer.from(data === undefined ? '' : JSON.stringify(data)) }
}

const find = (command: RegExp): number[] =>
  descendants()
    .filter((one) => command.test(one.command) && !one.command.startsWith('/bin/sh'))
    .map(({ pid }) => pid)

function found(name: string, command: RegExp): number[] {
  const pids = find(command)
  if (pids.length === 0) throw new Error(`Cannot strike ${name}: nothing runs that is called like it`)
  return pids
}

function toHeld(name: string, command: RegExp): Target {
  return {
    name,
    async strike(pause) {
      const pids = found(name, command)
      const tell = (signal: NodeJS.Signals): number[] => {
        const there = pids.filter((pid) => find(command).includes(pid))
        for (const pid of there) process.kill(pid, signal)
        return there
      }
      const held = tell('SIGSTOP')
      await sleep(pause).finally(() => tell('SIGCONT'))
      return held.length > 0
    },
  }
}

/** Its own kinds, and those of others, of which it knows a little later. */
const serves = (api: Api): Promise<boolean> =>
  Promise.all(['Namespace', 'Trigger', 'VirtualMachine'].map((kind) => api.list(kind))).then(Boolean, () => false)

/** Its scripts start it again half a second later; the API server must answer before the next one is killed. */
function toTarget(name: string, command: RegExp, api: Api): Target {
  return {
    name,
    async strike() {
      const before = found(name, command)
      for (const pid of before) process.kill(pid, 'SIGKILL')
      await until(`${name} runs again`, async () => {
        const now = find(command)
        const isNew = now.length > 0 && now.every((pid) => !before.includes(pid))
        return isNew && (await serves(api))
      })
      await sleep(1_000)
      return true
    },
  }
}
