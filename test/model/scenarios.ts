import type { Event } from '../../shared/event.ts'
import { eventType } from '../../shared/event-types.ts'
import { toChangeSet } from '../../shared/gitops/change-set.ts'
import { dataClaims } from '../../shared/kubevirt/manifest.ts'
import type { LifecycleName } from '../../shared/lifecycles.ts'
import { claimsFile, nameFile } from '../../shared/paths.ts'
import type { Requests } from '../../shared/schema/requests.ts'
import { toYaml } from '../../shared/yaml.ts'
import { smallRequest, starterFiles } from '../examples/starter.ts'
import { gitops } from '../functions/changes.ts'
import { databaseServer } from '../shared/kubevirt/definitions.ts'
import { uidOf } from './cluster.ts'
import { minutes, timeAt } from './deliver.ts'
import { type Repository, treeOf } from './repository.ts'

/** Two runs about one machine. */
export interface Scenario {
  repository: Repository
  requests: Event[]
}

type Asked = { [L in LifecycleName]: [lifecycle: L, data: Partial<Requests[L]>] }[LifecycleName]

/** Two requests, posted at once, over a fleet in which db-01 runs with a data disk. */
export async function scenario(...asked: Asked[]): Promise<Scenario> {
  const isMade = asked.some(([lifecycle]) => lifecycle === 'provision')
  const requests = asked.map(([lifecycle, data], at) => request(lifecycle, data, at))
  return {
    repository: await fleet(isMade ? /^(policy|templates|customizations|ipam\/servers)\// : /^policy\//),
    requests,
  }
}

const request = (lifecycle: LifecycleName, data: object, at: number): Event => ({
  id: `order-${at}`,
  source: '/portal',
  type: eventType(lifecycle, 'requested'),
  time: timeAt(0).toISOString(),
  extensions: {},
  data: { ...subjectOf(lifecycle), deadlineMinutes: minutes, ...data },
})

const subjectOf = (lifecycle: LifecycleName) =>
  lifecycle === 'provision'
    ? { ...smallRequest(), name: 'web-01', placement: { cluster: 'site-a' } }
    : { namespace: 'shop', name: 'db-01' }

/** A fleet with what these requests ask for: a tick counts the addresses of every network. */
async function fleet(needed: RegExp): Promise<Repository> {
  const server = databaseServer({ disks: [{ name: 'data', size: '200Gi' }] })
  const shipped = new Map(Object.entries(starterFiles()).filter(([path]) => needed.test(path)))
  const empty = { files: shipped, steps: new Set<string>() }
  const { cluster, namespace, name } = server
  const files = [
    ...(await toChangeSet(server, treeOf(empty), gitops)),
    { path: nameFile(name), content: toYaml({ name, namespace, run: server.operation.slice(0, 20) }) },
    {
      path: claimsFile(cluster, namespace, name),
      content: toYaml(Object.fromEntries(dataClaims(server).map((claim) => [claim, uidOf(claim)]))),
    },
  ]
  return { ...empty, files: new Map([...shipped, ...files.map(({ path, content }) => [path, content ?? ''] as const)]) }
}

/** What is explored: who does what at once. */
export const scenarios = {
  'one power': () => scenario(['power', { action: 'restart' }]),
  'two powers': () => scenario(['power', { action: 'stop' }], ['power', { action: 'restart' }]),
  'two powers, one of which waits for the other': () =>
    scenario(['power', { action: 'stop' }], ['power', { action: 'restart', wait: true }]),
  'a patch and a deprovision': () => scenario(['patch', {}], ['deprovision', {}]),
  'two provisions of one name': () => scenario(['provision', {}], ['provision', {}]),
} as const
