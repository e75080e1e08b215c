import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { parseEventType } from '../shared/event-types.ts'
import type { Subject } from '../shared/lifecycles.ts'
import { imageFolder, machineFolder } from '../shared/paths.ts'
import { isComplete } from './ask.ts'
import { aboutOf, forMachine, type Lived, machineIn } from './life.ts'
import type { RequestFile } from './request.ts'
import type { World } from './world.ts'

/** What the runs left: how each ended, the machine's commits, its state and address. */
export function closing({ git }: Pick<World, 'git'>, lived: readonly Lived[]): string {
  const runs = lived.map(({ ended, milliseconds }) => {
    const seconds = `${(milliseconds / 1000).toFixed(1)} s`.padStart(8)
    const how = ended.type.split('.').at(-1)
    return `  ${(ended.data.eventTask ?? '').padEnd(16)} ${seconds}  ${isComplete(ended) ? '' : `${how}: `}${ended.data.message}`
  })
  return ['', 'The runs:', '', ...runs, ...commit(git.path, lived), ...commits(git.path, lived), ...state(lived)].join(
    '\n',
  )
}

/** The commit that made the machine. */
function commit(repository: string, lived: readonly Lived[]): string[] {
  const revision = machineIn(lived)?.data.facts?.revision
  if (revision === undefined) return []
  const log = ['--git-dir', repository, 'log', '-1', '--stat=100', revision]
  return ['', execFileSync('git', log, { encoding: 'utf8' }).trimEnd()]
}

/** The task that a commit is of, as its trailer says. */
const step = '%(trailers:key=Drover-Step,valueonly,separator=)'

function commits(repository: string, lived: readonly Lived[]): string[] {
  const folder = folderOf(lived)
  if (folder === undefined) return []
  const log = ['--git-dir', repository, 'log', '--reverse', `--format=  %h  %<(16)${step}%s`, 'main', '--', folder]
  return ['', `What they changed in Git, in ${folder}:`, '', execFileSync('git', log, { encoding: 'utf8' }).trimEnd()]
}

function folderOf(lived: readonly Lived[]): string | undefined {
  const { request, ended } = lived.at(-1) ?? {}
  const { subject = '', data } = ended ?? {}
  const [namespace = '', name = ''] = subject.split('/')
  if (request && aboutOf(request) === 'image') return imageFolder(name)
  return data?.facts?.cluster ? machineFolder(data.facts.cluster, namespace, name) : undefined
}

function state(lived: readonly Lived[]): string[] {
  const { type = '', data } = lived.at(-1)?.ended ?? {}
  const { observed, cluster, dns } = data?.facts ?? {}
  if (!type.endsWith('.completed') || !observed || parseEventType(type)?.lifecycle.name === 'deprovision') return []
  const where = `${cluster} (${observed.node ?? 'no node'})`
  return [
    '',
    `VM ${data?.vmName} is ${observed.status} on ${where}, addresses ${observed.addresses.join(', ')}, name ${dns?.[0]?.dnsName ?? '-'}`,
  ]
}

/** The requests that may come next: the end of the machine, where one was made or changed, and another machine or image. */
export function nextOf(lived: readonly Lived[], requests: readonly RequestFile[], end: RequestFile): RequestFile[] {
  const machine = machineIn(lived)
  const again = requests.findLast((request) => aboutOf(request) !== 'machine')
  return [...(machine && isComplete(machine) ? [forMachine(end, machine)] : []), ...(again ? [again] : [])]
}

/** The ways to go on, to be pasted: the requests that may come next, the fleet, the clusters. */
export function waysOn(directory: string, world: World, lived: readonly Lived[], next: readonly RequestFile[]): string {
  const { cluster = 'site-a' } = lived.at(-1)?.ended.data.facts ?? {}
  return `
Go on, in another terminal, and see here what comes of it:

${next.map((request) => `${titleOf(request, lived)}\n${curl(world.broker, request)}`).join('\n\n')}

  # everything that there is, as files
  git clone ${world.git.url}

  # the simulated clusters
  kubectl --kubeconfig ${join(directory, 'kubeconfig')} --context ${cluster} get vm -A

Every event: ${world.feed.url} (server-sent events). Metrics of a function: ${metricsOf(world)}. Addresses: ${join(directory, 'local.json')}. Ctrl-C ends it.`
}

/** Those of the fleet are with `recover`. */
const metricsOf = ({ ports }: World) => `http://127.0.0.1:${ports.recover}/metrics`

function titleOf(request: RequestFile, lived: readonly Lived[]): string {
  const about = aboutOf(request)
  const title = `  # ${parseEventType(request.type)?.lifecycle.title ?? request.type}${about ? ofWhat[about] : ''}`
  return isRefused(request, lived) ? `${title}; mend the request first: it was refused as it stands here` : title
}

/** Whether a request could not be granted: it would be refused again. */
const isRefused = (request: RequestFile, lived: readonly Lived[]) =>
  lived.some((one) => one.request === request && one.ended.data.failure?.task === 'validate')

const ofWhat: Record<Subject, string> = {
  machine: ' of this machine',
  'new machine': ' of another machine',
  image: ' once more',
}

function curl(broker: string, { source, type, data }: RequestFile): string {
  const event = JSON.stringify({ specversion: '1.0', id: 'ID', source, type, data })
    .replaceAll("'", "'\\''")
    .replace('"ID"', `"'$(date +%s%N)'"`)
  return `  curl -i ${broker} -H 'content-type: application/cloudevents+json' -d '${event}'`
}
