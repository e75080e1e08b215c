import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseAllDocuments } from 'yaml'
import { rootApplication } from '../../local/clusters/bootstrap.ts'
import type { NewObject } from '../../local/clusters/object.ts'
import { choosePorts, type Ports, startProcesses } from '../../local/functions.ts'
import { startGitHost } from '../../local/git/host.ts'
import { seedFleet } from '../../local/git/seed.ts'
import { bundle } from '../../scripts/build.ts'
import { environment } from '../../shared/config.ts'
import { type FunctionName, functionNames } from '../../shared/lifecycles.ts'
import { refreshAnnotation } from '../../shared/machines.ts'
import { type Platform, untampered } from '../chain/platform.ts'
import { writeKubeconfigs } from './access.ts'
import { type Api, openApi } from './api.ts'
import type { ControlPlane } from './control-plane.ts'
import { openDoor } from './door.ts'
import { brokerOf, environmentsOn } from './environment.ts'
import { playNode } from './node.ts'
import { openTap } from './tap.ts'

const root = new URL('../..', import.meta.url).pathname

/** What the real platform can do beside the common. */
export interface Real extends Platform {
  kind: 'cluster'
  api: Api
  /** Kills a function's process at once, and says whether there was one; it is started again. */
  kill(name: FunctionName): boolean
  /** Where Drover's own functions listen. */
  ports: Ports
  /** Brings what the Broker delivers to other functions from then on. */
  leadTo(ports: Ports): void
}

/**
 * Drover with a fleet of its own on the real controllers: the functions are processes of the built bundle, each with the
 * token of its own ServiceAccount; the Broker, the Triggers and the roles are those of `broker/` and `triggers/`.
 */
export async function startReal(plane: ControlPlane, settings: Record<string, string>): Promise<Real> {
  const api = openApi(plane.kubeconfig)
  const directory = await mkdtemp(join(tmpdir(), 'drover-cluster-'))
  const name = `fleet-${randomBytes(3).toString('hex')}`
  const token = randomBytes(24).toString('base64url')
  const git = await startGitHost({
    directory: plane.repositories.folder,
    repository: `${name}.git`,
    token,
    env: environment(),
  })
  await seedFleet(git.path, join(root, 'examples/fleet'), { env: environment() })
  const tamper: Platform['tamper'] = { with: untampered }
  const ports = await choosePorts()
  if (settings['DROVER_ACCESS_REVIEW'] === 'true')
    for (const object of objectsIn('broker/components/access-review/rights.yaml')) await api.apply(object)
  const kubeconfigs = await writeKubeconfigs(api, plane, directory)
  const repoUrl = `${plane.repositories.url}/${name}.git`
  const broker = brokerOf(plane)
  const environmentOf = environmentsOn({
    ...{ plane, repoUrl, kubeconfigs },
    git: { url: git.plainUrl, token },
    clones: join(directory, 'clones'),
  })
  const functions = await startProcesses(bundle, ports, join(plane.directory, 'logs', name), (one) => ({
    ...environmentOf(one),
    DROVER_PATIENCE_SECONDS: '20',
    DROVER_GRACE_SECONDS: '10',
    ...settings,
  }))
  const doors = await Promise.all(
    functionNames.map((one) => openDoor(one, ports[one], (...delivery) => tamper.with(...delivery))),
  )
  await settle(api, repoUrl, (one) => doors[functionNames.indexOf(one)]?.url ?? '')
  const tap = await openTap(api, name)
  await until('the tap is ready', async () => isReady(await api.get('Trigger', 'drover', name)))
  const node = playNode(api)
  return {
    kind: 'cluster',
    repository: git.path,
    sites: ['site-a', 'site-b'],
    ...{ broker, tamper, api },
    feed: tap.feed,
    kill: (one) => functions.kill(one),
    ports,
    leadTo: (others) => {
      for (const [index, one] of functionNames.entries()) doors[index]?.leadTo(others[one])
    },
    look: (_cluster, kind, namespace, object) => api.get(kind, namespace, object),
    list: (_cluster, kind, namespace) => api.list(kind, namespace),
    make: async (_cluster, object) => void (await api.apply(object)),
    unmake: (_cluster, kind, namespace, object) => api.remove(kind, namespace, object),
    refresh: (application) =>
      api.merge('Application', 'argocd', application, { metadata: { annotations: { [refreshAnnotation]: 'normal' } } }),
    fault: (fault, namespace) => {
      if (namespace !== undefined) throw new Error('Cannot play a fault in one namespace: the node knows none')
      node.faults.add(fault)
      return () => void node.faults.delete(fault)
    },
    mend: () => void node.mend(),
    idle: async () => {
      for (let quiet = 0; quiet < 15; await sleep(100)) quiet = doors.some((door) => door.pending() > 0) ? 0 : quiet + 1
    },
    async close() {
      await functions.close()
      for (const door of doors) door.close()
      await node.close()
      await tap.close()
      await git.close()
      api.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Says where each function is, gives Argo CD the fleet, and waits until all is ready and nothing is left of the fleet before. */
export async function settle(api: Api, repoUrl: string, urlOf: (name: FunctionName) => string): Promise<void> {
  for (const one of functionNames) await publish(api, one, urlOf(one))
  await api.apply(projectFor(repoUrl))
  for (const object of rootApplication({ repoURL: repoUrl }, [])) await api.apply(object)
  await installed(api)
  await alone(api, repoUrl)
}

const objectsIn = (file: string): NewObject[] =>
  parseAllDocuments(readFileSync(join(root, file), 'utf8')).map((document) => document.toJS() as NewObject)

/** What Argo CD may apply: the project of machines as it is installed, for this fleet beside those before it. */
function projectFor(repoUrl: string): NewObject {
  const project = objectsIn('broker/argocd/projects.yaml').find(({ metadata }) => metadata.name === 'drover')
  if (!project) throw new Error('Cannot go on: broker/argocd has no AppProject drover')
  const url = repoUrl.replace(/[^/]+$/, '*')
  return { ...project, spec: { ...(project['spec'] as object), sourceRepos: [url] } }
}

/** Says where a function is: what Knative Serving would find out by itself. */
const publish = (api: Api, name: string, url: string) =>
  api.merge('Service', 'drover', name, { metadata: { annotations: { 'control-plane/url': url } } })

type WithConditions = { status?: { conditions?: { type: string; status: string }[]; address?: object } } | undefined

/** What Knative says of an object that works. */
export const isReady = (object: unknown): boolean =>
  (object as WithConditions)?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ===
  true

/** The Services first: the Broker waits for its dead letter sink, and a Trigger that comes before its Broker is slow to follow. */
async function installed(api: Api): Promise<void> {
  for (const kind of ['Service', 'Broker', 'Trigger'])
    await until(`every ${kind} is ready`, async () => (await api.list(kind, 'drover')).every(isReady))
  // The router of the control plane takes a new address within half a second.
  await sleep(1_200)
}

/** Waits until what the fleet before had is gone: fifty machines that are removed leave the controllers no time for others. */
async function alone(api: Api, repoUrl: string): Promise<void> {
  type Application = { spec?: { source?: { repoURL?: string } } }
  // What people made there has another source, or none.
  const isOfBefore = (application: object) => {
    const { repoURL } = (application as Application).spec?.source ?? {}
    return repoURL !== undefined && repoURL !== repoUrl
  }
  const holds = async () => !(await api.list('Application', 'argocd')).some(isOfBefore)
  await until('nothing is left of the fleet before', holds, 600)
}

/** Waits until something holds, a minute at most. */
export async function until(what: string, holds: () => Promise<boolean>, seconds = 60): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await sleep(200)) if (await holds()) return
  throw new Error(`Cannot go on: it is not so within ${seconds} s that ${what}`)
}
