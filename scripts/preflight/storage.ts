import { type Answer, map } from './answer.ts'
import type { Area, List, Named } from './area.ts'
import { advice, type Finding, judge, lacks, ok } from './finding.ts'

/** Storage of a managed cluster. */

export interface StorageFacts {
  classes: Answer<Named[]>
  snapshotClasses: Answer<Named[]>
}

export const storage: Area<StorageFacts> = {
  title: 'Storage',
  async read(ask) {
    const [classes, snapshotClasses] = await Promise.all([
      ask.get<List<Named>>('/apis/storage.k8s.io/v1/storageclasses'),
      ask.get<List<Named>>('/apis/snapshot.storage.k8s.io/v1/volumesnapshotclasses'),
    ])
    return { classes: map(classes, ({ items }) => items), snapshotClasses: map(snapshotClasses, ({ items }) => items) }
  },
  check: ({ classes, snapshotClasses }) => [...checkClasses(classes), ...checkSnapshots(snapshotClasses)],
}

/** CDI prefers the second where a cluster has both. */
const defaults = ['storageclass.kubernetes.io/is-default-class', 'storageclass.kubevirt.io/is-default-virt-class']

function checkClasses(classes: Answer<Named[]>): Finding[] {
  const none = lacks('It has no StorageClass', 'install a CSI driver and its StorageClass')
  return judge(classes, 'StorageClasses', none, (all) => {
    const chosen = all.find(({ metadata }) => defaults.some((name) => metadata.annotations?.[name] === 'true'))
    if (chosen) return ok(`StorageClass ${chosen.metadata.name} is the default`)
    const [first] = all
    if (!first) return none
    return lacks(
      'No StorageClass is the default: a disk that names none would never be made',
      `kubectl annotate storageclass ${first.metadata.name} ${defaults[0]}=true`,
    )
  })
}

function checkSnapshots(classes: Answer<Named[]>): Finding[] {
  const none = advice(
    'It has no VolumeSnapshotClass, which snapshots, and all that take one to go back to, need',
    'install the snapshot controller and a VolumeSnapshotClass of your CSI driver',
  )
  return judge(classes, 'VolumeSnapshotClasses', none, ([first]) =>
    first ? ok(`VolumeSnapshotClass ${first.metadata.name} is there`) : none,
  )
}
