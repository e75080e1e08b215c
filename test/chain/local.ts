import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startWorld, type WorldOptions } from '../../local/world.ts'
import { type MachineFault, type Platform, untampered } from './platform.ts'

/** The kinds whose objects have a fault. */
const kinds: Record<MachineFault, string> = {
  unschedulable: 'VirtualMachine',
  'crash-loop': 'VirtualMachine',
  'no-agent': 'VirtualMachine',
  'import-fails': 'DataVolume',
  'clone-fails': 'DataVolume',
  'wrong-address': 'VirtualMachine',
  'never-deleted': 'VirtualMachine',
  'sync-stuck': 'Application',
  'stuck-stopping': 'VirtualMachine',
  'job-fails': 'Job',
  'grow-fails': 'PersistentVolumeClaim',
  'snapshot-fails': 'VirtualMachineSnapshot',
  'snapshot-stuck': 'VirtualMachineSnapshot',
  'restore-fails': 'VirtualMachineRestore',
  'restore-stuck': 'VirtualMachineRestore',
  'restore-hangs': 'VirtualMachineRestore',
  'migration-fails': 'VirtualMachineInstanceMigration',
}

/**
 * A world of its own in a temporary folder, all in this process unless the functions are started in another way: real Broker
 * rules, Git and faas-js-runtime.
 */
export async function startLocal(
  settings: Record<string, string>,
  { kubevirt, ...options }: Pick<WorldOptions, 'kubevirt' | 'start' | 'gitSettings' | 'apart'> = {},
): Promise<Platform> {
  const directory = await mkdtemp(join(tmpdir(), 'drover-chain-'))
  const tamper: Platform['tamper'] = { with: untampered }
  const { broker, git, feed, clusters, ports, idle, close } = await startWorld({
    directory,
    delays: 0,
    kubevirt,
    ...options,
    tamper: (name, event) => tamper.with(name, event),
    settings: { DROVER_LOG_LEVEL: 'silent', DROVER_GRACE_SECONDS: '0.3', DROVER_PATIENCE_SECONDS: '5', ...settings },
  })
  return {
    kind: 'local',
    repository: git.path,
    remote: git.url,
    sites: clusters.names,
    ...{ broker, feed, tamper, idle },
    look: async (cluster, kind, namespace, name) => clusters.store(cluster).get(kind, namespace, name),
    list: async (cluster, kind, namespace) => clusters.store(cluster).list(kind, namespace),
    make: async (cluster, object) => void clusters.store(cluster).create(object),
    unmake: async (cluster, kind, namespace, name) => void clusters.store(cluster).remove(kind, namespace, name),
    fault: (fault, namespace) => clusters.faults.add({ fault, kind: kinds[fault], ...(namespace && { namespace }) }),
    async lose(cluster, namespace, name) {
      const uidNow = () => clusters.store(cluster).get('PersistentVolumeClaim', namespace, name)?.metadata.uid
      const before = uidNow()
      clusters.store(cluster).remove('PersistentVolumeClaim', namespace, name)
      // CDI makes another one for the same disk.
      while ([undefined, before].includes(uidNow())) await sleep(20)
    },
    mend: () => clusters.faults.clear(),
    metrics: async () => (await fetch(`http://127.0.0.1:${ports.recover}/metrics`)).text(),
    async close() {
      await close()
      await rm(directory, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}
