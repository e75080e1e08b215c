import { createHash } from 'node:crypto'
import { ownedBy } from '../object.ts'
import type { Store } from '../store.ts'
import { hasEnded, type Pod } from './claim-types.ts'
import { claimNames, type Instance, type Migration, migrationLabel, secretNames } from './vm-types.ts'

/** All pods of an instance: the one that its guest runs in, and those of migrations. */
export function podsOf(store: Store, { metadata }: Instance): Pod[] {
  return store.dependents(metadata.uid).filter(({ kind }) => kind === 'Pod') as Pod[]
}

/** The pod that an instance's guest runs in. */
export function launcherOf(store: Store, instance: Instance): Pod | undefined {
  const pods = podsOf(store, instance)
  const { nodeName } = instance.status ?? {}
  const there = pods.find((pod) => pod.spec.nodeName === nodeName && !hasEnded(pod))
  return there ?? pods.find(({ metadata }) => !metadata.labels?.[migrationLabel])
}

/** The pod that a guest runs in, or the one that a migration moves it to. */
export function launcher(instance: Instance, migration?: Migration) {
  const { name, namespace, uid, labels } = instance.metadata
  const suffix = createHash('sha256')
    .update(migration?.metadata.uid ?? uid)
    .digest('hex')
    .slice(0, 5)
  const claims = claimNames(instance.spec.volumes).map((claimName) => ({
    name: claimName,
    persistentVolumeClaim: { claimName },
  }))
  const secrets = secretNames(instance.spec.volumes).map(({ volume, secret }) => ({
    name: volume,
    secret: { secretName: secret },
  }))
  const annotations = { 'kubevirt.io/domain': name }
  const moved = migration && { [migrationLabel]: migration.metadata.uid }
  const own = {
    labels: { ...labels, 'kubevirt.io': 'virt-launcher', 'vm.kubevirt.io/name': name, ...moved },
    annotations,
    ownerReferences: [ownedBy(instance)],
  }
  const metadata = { name: `virt-launcher-${name.slice(0, 40)}-${suffix}`, namespace, ...own }
  const spec = {
    restartPolicy: 'Never',
    containers: [{ name: 'compute', image: 'simulated/virt-launcher' }],
    volumes: [...claims, ...secrets],
  }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec }
}
