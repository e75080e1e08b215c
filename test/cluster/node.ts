import { setTimeout as sleep } from 'node:timers/promises'
import type { Pod } from '../../local/clusters/controllers/claim-types.ts'
import { type ExternalSecret, secretFor } from '../../local/clusters/controllers/external.ts'
import { interfacesOf } from '../../local/clusters/controllers/guest.ts'
import { wordsOf } from '../../local/clusters/controllers/job-tools.ts'
import type { Instance } from '../../local/clusters/controllers/vm-types.ts'
import type { KubeObject } from '../../local/clusters/object.ts'
import type { MachineFault } from '../chain/platform.ts'
import type { Api } from './api.ts'

/**
 * What no controller of the control plane does, because a node or somebody else's cloud would: guests report the addresses
 * that their network data gives them, External Secrets makes Secrets of made-up values, and faults befall new machines.
 */
export interface Node {
  faults: Set<MachineFault>
  mend(): Promise<void>
  close(): Promise<void>
}

const round = 100
const finalizer = 'test.drover.dev/never-deleted'
const faultAnnotation = 'control-plane/fault'

/** The faults that the played node knows, by our names for them. */
const faultsOfNode: Partial<Record<MachineFault, string>> = {
  unschedulable: 'pending',
  'crash-loop': 'fail',
  'no-agent': 'no-agent',
}

/** Plays until it is closed. */
export function playNode(api: Api): Node {
  const faults: Node['faults'] = new Set()
  const held = new Set<string>()
  const closing = new AbortController()
  const parts = [
    () => syncSecrets(api),
    () => afflict(api, faults, held),
    () => tellAddresses(api, faults),
    () => tellUnschedulable(api),
    () => endMigrations(api),
    () => failImports(api, faults),
  ]
  const play = async (...some: (() => Promise<void>)[]) => {
    while (!closing.signal.aborted) {
      // What changed meanwhile is seen in the next round.
      for (const part of some) await part().catch(() => undefined)
      await sleep(round, undefined, { signal: closing.signal }).catch(() => undefined)
    }
  }
  // By themselves: the played node must not be faster.
  const playing = Promise.all([
    play(...parts),
    play(() => playJobs(api, faults)),
    play(() => hangRestores(api, faults)),
  ])
  return {
    faults,
    mend: async () => {
      faults.clear()
      await release(api, held)
    },
    close: async () => {
      closing.abort()
      await playing
      await release(api, held)
    },
  }
}

const at = ({ metadata: { namespace = '', name } }: KubeObject) => [namespace, name] as const

async function syncSecrets(api: Api): Promise<void> {
  for (const wanted of (await api.list('ExternalSecret')) as ExternalSecret[]) {
    if (wanted.metadata.deletionTimestamp || wanted.status?.conditions?.some(({ status }) => status === 'True'))
      continue
    const [namespace, name] = at(wanted)
    await api.apply(secretFor(wanted, wanted.spec.target?.name ?? name))
    const conditions = [{ type: 'Ready', status: 'True', reason: 'SecretSynced', message: 'secret synced' }]
    await api.merge('ExternalSecret', namespace, name, { status: { conditions } }, { subresource: 'status' })
  }
}

/** New machines get the faults of the moment, before their pods run. */
async function afflict(api: Api, faults: Node['faults'], held: Set<string>): Promise<void> {
  const [fault] = [...faults].flatMap((one) => faultsOfNode[one] ?? [])
  if (fault)
    for (const kind of ['VirtualMachineInstance', 'Pod'])
      for (const one of await api.list(kind)) {
        const isGuest = kind !== 'Pod' || one.metadata.labels?.['kubevirt.io'] === 'virt-launcher'
        const isMarked = one.metadata.annotations?.[faultAnnotation] !== undefined
        if (!isGuest || isMarked || isRunning(one)) continue
        await api.merge(
          kind,
          ...at(one),
          { metadata: { annotations: { [faultAnnotation]: fault } } },
          { as: 'handler' },
        )
      }
  if (!faults.has('never-deleted')) return
  for (const machine of await api.list('VirtualMachine')) {
    const { finalizers = [], deletionTimestamp } = machine.metadata
    if (finalizers.includes(finalizer) || deletionTimestamp) continue
    await api.merge('VirtualMachine', ...at(machine), { metadata: { finalizers: [...finalizers, finalizer] } })
    held.add(at(machine).join('/'))
  }
}

const isRunning = (one: KubeObject) => (one['status'] as { phase?: string } | undefined)?.phase === 'Running'

/** Lets go of what `never-deleted` held. */
async function release(api: Api, held: Set<string>): Promise<void> {
  for (const place of held) {
    const [namespace = '', name = ''] = place.split('/')
    const machine = await api.get('VirtualMachine', namespace, name)
    const finalizers = machine?.metadata.finalizers?.filter((one) => one !== finalizer)
    if (machine) await api.merge('VirtualMachine', namespace, name, { metadata: { finalizers } })
  }
  held.clear()
}

/** The addresses of a guest that has come up, by its network data. The played node knows the pod's address alone. */
async function tellAddresses(api: Api, faults: Node['faults']): Promise<void> {
  if (faults.has('wrong-address')) return
  for (const guest of (await api.list('VirtualMachineInstance')) as (Instance & KubeObject)[]) {
    if (!isRunning(guest) || guest.metadata.deletionTimestamp || told.has(guest.metadata.uid)) continue
    const [namespace, name] = at(guest)
    const secrets = new Map<string, KubeObject | undefined>()
    for (const secret of secretsOf(guest)) secrets.set(secret, await api.get('Secret', namespace, secret))
    const store = { get: (_kind: string, _namespace: string, secret: string) => secrets.get(secret) }
    const conditions = (guest.status as { conditions?: { type: string }[] } | undefined)?.conditions ?? []
    const agent = conditions.some(({ type }) => type === 'AgentConnected')
    const interfaces = interfacesOf(store, guest, { agent, wrong: false })
    await api.merge('VirtualMachineInstance', namespace, name, { status: { interfaces } }, { as: 'handler' })
    told.add(guest.metadata.uid)
  }
}

const told = new Set<string>()

const secretsOf = ({ spec: { volumes = [] } }: Instance) =>
  volumes.flatMap(({ cloudInitNoCloud, sysprep }) => [
    ...[cloudInitNoCloud?.networkDataSecretRef, cloudInitNoCloud?.secretRef].flatMap((ref) => ref?.name ?? []),
    ...(sysprep?.secret ? [sysprep.secret.name] : []),
  ])

/** A scheduler would say why a pod stays where it is. */
async function tellUnschedulable(api: Api): Promise<void> {
  for (const pod of await api.list('Pod')) {
    const isStuck = pod.metadata.annotations?.[faultAnnotation] === 'pending' && pod.metadata.labels?.['kubevirt.io']
    const { conditions = [] } = (pod['status'] ?? {}) as { conditions?: { type: string }[] }
    if (!isStuck || conditions.some(({ type }) => type === 'PodScheduled')) continue
    const message = '0/2 nodes are available: 2 Insufficient memory.'
    const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }
    await api.merge('Pod', ...at(pod), { status: { conditions: [condition] } }, { subresource: 'status' })
  }
}

const targetLabel = 'kubevirt.io/migrationTargetNodeName'

/**
 * The node that a guest has come to forgets that it was to come, and tells its times in whole seconds: KubeVirt begins no
 * other migration while the first is known, nor where it finds times that are not as it would write them.
 */
async function endMigrations(api: Api): Promise<void> {
  for (const guest of await api.list('VirtualMachineInstance')) {
    const { migrationState } = (guest['status'] ?? {}) as { migrationState?: Record<string, unknown> }
    if (!migrationState?.['completed']) continue
    const times = Object.entries(migrationState).filter(([, value]) => fraction.test(String(value)))
    if (times.length === 0 && guest.metadata.labels?.[targetLabel] === undefined) continue
    const whole = Object.fromEntries(times.map(([name, value]) => [name, String(value).replace(fraction, 'Z')]))
    const change = { metadata: { labels: { [targetLabel]: null } }, status: { migrationState: whole } }
    await api.merge('VirtualMachineInstance', ...at(guest), change, { as: 'handler' })
  }
}

/** What a time has beyond whole seconds. */
const fraction = /(?<=:\d\d)\.\d+Z$/

/** An import or clone that ends badly: its pod does. */
async function failImports(api: Api, faults: Node['faults']): Promise<void> {
  if (!faults.has('import-fails')) return
  for (const pod of await api.list('Pod')) {
    const isImport = pod.metadata.labels?.['app'] === 'containerized-data-importer'
    if (!isImport || pod.metadata.annotations?.[faultAnnotation]) continue
    await api.merge('Pod', ...at(pod), { metadata: { annotations: { [faultAnnotation]: 'fail' } } })
  }
}

/** Claims that a restore makes are never filled. */
async function hangRestores(api: Api, faults: Node['faults']): Promise<void> {
  if (!faults.has('restore-hangs')) return
  for (const claim of await api.list('PersistentVolumeClaim')) {
    const { 'restore.kubevirt.io/name': restore, [faultAnnotation]: marked } = claim.metadata.annotations ?? {}
    const { phase } = claim['status'] as { phase?: string }
    if (restore !== undefined && marked === undefined && phase !== 'Bound')
      await api.merge('PersistentVolumeClaim', ...at(claim), {
        metadata: { annotations: { [faultAnnotation]: 'pending' } },
      })
  }
}

const jobLabel = 'batch.kubernetes.io/job-name'

/**
 * Plays the pods of Jobs alone, for the played node lets each say what an import says: it is kept from them by its own
 * fault, and they run and end here as their program would.
 */
async function playJobs(api: Api, faults: Node['faults']): Promise<void> {
  for (const pod of (await api.list('Pod')) as Pod[]) {
    if (pod.metadata.labels?.[jobLabel] === undefined) continue
    const { phase = 'Pending' } = (pod.status ?? {}) as { phase?: string }
    if (pod.metadata.annotations?.[faultAnnotation] === undefined)
      await api.merge('Pod', ...at(pod), { metadata: { annotations: { [faultAnnotation]: 'pending' } } })
    else if (phase === 'Pending') await api.merge('Pod', ...at(pod), running(pod), { subresource: 'status' })
    else if (phase === 'Running') await api.merge('Pod', ...at(pod), ended(pod, faults), { subresource: 'status' })
  }
}

const running = (pod: Pod) => ({
  status: {
    phase: 'Running',
    startTime: now(),
    containerStatuses: [containerOf(pod, { running: { startedAt: now() } })],
  },
})

function ended(pod: Pod, faults: Node['faults']) {
  const isWell = !faults.has('job-fails')
  const message = wordsOf(pod, isWell ? 'well' : 'ill') ?? ''
  const [exitCode, reason] = isWell ? [0, 'Completed'] : [1, 'Error']
  const terminated = { exitCode, reason, message, startedAt: now(), finishedAt: now() }
  return { status: { phase: isWell ? 'Succeeded' : 'Failed', containerStatuses: [containerOf(pod, { terminated })] } }
}

function containerOf({ spec }: Pod, state: object) {
  const [container] = spec.containers ?? []
  return { name: container?.name, image: container?.image, imageID: '', ready: false, restartCount: 0, state }
}

const now = () => new Date().toISOString().replace(fraction, 'Z')
