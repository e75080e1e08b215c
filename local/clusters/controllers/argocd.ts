import { refreshAnnotation } from '../../../shared/machines.ts'
import type { Cluster, Waker } from '../cluster.ts'
import { type KubeObject, keyOf, type NewObject } from '../object.ts'
import { compare, isOwned, optionsOf } from './argocd-compare.ts'
import { attempt, begin, decide, type Operation } from './argocd-operation.ts'
import { Manifests, SourceError } from './argocd-source.ts'
import { refuse, report, unask } from './argocd-status.ts'
import { Tracking } from './argocd-tracking.ts'
import { type Application, finalizer } from './argocd-types.ts'
import { release } from './garbage.ts'
import { GitReader } from './git-reader.ts'

export interface Repository {
  /** The URL by which Applications name it; with or without credentials and `.git`. */
  url: string
  /** The bare repository on disk. */
  path: string
}

interface Settings {
  repositories: Repository[]
  /** Milliseconds between two looks at Git when nobody asked for one. */
  polling: number
}

/** What is remembered of an Application between two looks. */
interface Memory {
  source: string
  revision: string
  manifests: NewObject[]
  readAt: number
  operation: Operation | undefined
}

interface Argo extends Settings {
  hub: Cluster
  clusters: Map<string, Cluster>
  memory: Map<string, Memory>
  /** What was wrong with Git when it was read last, by the Application's uid. */
  problems: Map<string, string | undefined>
  manifests: Manifests
  gits: Map<string, GitReader>
  tracking: Map<Cluster, Tracking>
}

/** Argo CD's application controller: keeps the clusters as Git says, for each Application in namespace `argocd`. */
export function runArgocd(hub: Cluster, clusters: Map<string, Cluster>, settings: Settings): void {
  const gits = new Map(settings.repositories.map(({ url, path }) => [plainUrl(url), new GitReader(path)]))
  const argo: Argo = {
    ...settings,
    hub,
    clusters,
    gits,
    memory: new Map(),
    problems: new Map(),
    manifests: new Manifests(),
    tracking: new Map(),
  }
  const all = () => hub.store.list('Application', 'argocd').map(keyOf)
  const loop = hub.control<Application>(
    'Application',
    (app, waker) => (app.metadata.namespace === 'argocd' ? reconcile(argo, app, waker) : undefined),
    { AppProject: all },
  )
  for (const cluster of clusters.values())
    argo.tracking.set(cluster, new Tracking(cluster, (app) => loop.wake(`argocd/${app}`)))
  const forget = hub.store.subscribe(({ type, object }) => {
    if (type !== 'DELETED') return
    argo.memory.delete(object.metadata.uid)
    argo.problems.delete(object.metadata.uid)
  })
  hub.onClose(forget, ...[...gits.values()].map((git) => () => git.close()))
}

const plainUrl = (url: string) =>
  url
    .replace(/\/\/[^/@]*@/, '//')
    .replace(/\/$/, '')
    .replace(/\.git$/, '')

async function reconcile(argo: Argo, app: Application, waker: Waker): Promise<void> {
  const cluster = destinationOf(argo, app)
  if (app.metadata.deletionTimestamp) return cascade(argo, app, cluster)
  const asked = app.metadata.annotations?.[refreshAnnotation] !== undefined
  if (argo.hub.hasFault('sync-stuck', app)) return
  const project = app.spec.project ?? 'default'
  if (!argo.hub.store.get('AppProject', 'argocd', project))
    return refuse(argo.hub, app, 'InvalidSpecError', `Application referencing project ${project} which does not exist`)
  if (!cluster)
    return refuse(
      argo.hub,
      app,
      'InvalidSpecError',
      `unable to find destination server: there are no clusters with this name: ${app.spec.destination.name ?? app.spec.destination.server}`,
    )
  const { uid } = app.metadata
  if (asked || isOld(argo, app)) argo.problems.set(uid, await read(argo, app))
  const problem = argo.problems.get(uid)
  if (problem !== undefined) {
    waker.again(argo.polling)
    return refuse(argo.hub, app, 'ComparisonError', problem)
  }
  look(argo, app, cluster, waker)
  // Who asks again between the reading of Git and this is not heard, as with the real one.
  if (asked) unask(argo.hub, app)
}

/** True when Git must be read again although nobody asked. */
function isOld({ memory, polling }: Argo, { metadata: { uid }, spec: { source } }: Application): boolean {
  const known = memory.get(uid)
  return !known || known.source !== JSON.stringify(source) || performance.now() - known.readAt >= polling
}

/** Reads Git anew; answers what was wrong with it. */
async function read({ gits, manifests, memory }: Argo, app: Application): Promise<string | undefined> {
  const { source } = app.spec
  const git = source && gits.get(plainUrl(source.repoURL))
  if (!git)
    return `Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = failed to list refs: repository not found: ${source?.repoURL ?? 'no source'}`
  const target = source.targetRevision ?? 'HEAD'
  const revision = await git.commit(target)
  if (!revision)
    return `Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = unable to resolve '${target}' to a commit SHA`
  try {
    const found = await manifests.read(git, revision, source)
    const operation = memory.get(app.metadata.uid)?.operation ?? remembered(app, found)
    memory.set(app.metadata.uid, {
      source: JSON.stringify(source),
      revision,
      manifests: found,
      readAt: performance.now(),
      operation,
    })
    return undefined
  } catch (error) {
    if (error instanceof SourceError) return error.message
    throw error
  }
}

/** The last operation as the status tells it, after a restart. */
function remembered({ status }: Application, manifests: NewObject[]): Operation | undefined {
  const state = status?.operationState
  return state && state.phase !== 'Running'
    ? { revision: state.syncResult.revision, manifests, state, due: 0, heals: 0 }
    : undefined
}

/** Compares, goes on with a sync or begins one, and says how things are. */
function look(argo: Argo, app: Application, cluster: Cluster, waker: Waker): void {
  const memory = argo.memory.get(app.metadata.uid)
  if (!memory) return
  const tracked = () => argo.tracking.get(cluster)?.of(app.metadata.name) ?? []
  const { revision, manifests } = memory
  let items = compare(app, cluster, manifests, tracked())
  const { operation } = memory
  if (operation?.state.phase === 'Running' && operation.due <= performance.now()) {
    if (operation.state.retryCount && app.spec.syncPolicy?.retry?.refresh)
      Object.assign(operation, { revision, manifests, state: { ...operation.state, syncResult: { revision } } })
    memory.operation = attempt(
      argo.hub,
      app,
      cluster,
      operation,
      operation.manifests === manifests ? items : compare(app, cluster, operation.manifests, tracked()),
    )
    items = compare(app, cluster, manifests, tracked())
  }
  const decision = decide(app, { revision, manifests, items }, memory.operation)
  if ('begin' in decision) memory.operation = begin(argo.hub, { revision, manifests, items }, memory.operation)
  if ('wait' in decision) waker.again(decision.wait)
  if (memory.operation?.state.phase === 'Running') waker.again(Math.max(0, memory.operation.due - performance.now()))
  waker.again(Math.max(1, memory.readAt + argo.polling - performance.now()))
  const reason = 'reason' in decision ? decision.reason : undefined
  report(argo.hub, app, memory, items, reason)
}

function destinationOf({ hub, clusters }: Argo, { spec: { destination } }: Application): Cluster | undefined {
  if (destination.name === 'in-cluster' || destination.server === 'https://kubernetes.default.svc') return hub
  return clusters.get(destination.name ?? '')
}

/** Deletes what the Application brought, but for what says `Delete=false`, and lets the Application go after it. */
function cascade(argo: Argo, app: Application, cluster: Cluster | undefined): void {
  const mine = app.metadata.finalizers?.find((one) => one.startsWith(finalizer))
  if (!mine) return
  const tracked: KubeObject[] = (cluster && argo.tracking.get(cluster)?.of(app.metadata.name)) ?? []
  const doomed = tracked.filter((object) => !optionsOf(object).has('Delete=false') && !isOwned(object))
  for (const { kind, metadata } of doomed)
    if (!metadata.deletionTimestamp) cluster?.store.remove(kind, metadata.namespace ?? '', metadata.name)
  if (doomed.length === 0) release(argo.hub, app, mine)
}
