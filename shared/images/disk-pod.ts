/** What the pods have in common that work on a disk of KubeVirt's: the user, the mount, and no right on the cluster. */

/** Where a disk is for a pod, and what a pod works on it with. */
export interface DiskJob {
  /** Says what it is for, and for which run: a Job cannot be changed, so another one needs another name. */
  name: string
  namespace: string
  labels: Record<string, string>
  /** The PersistentVolumeClaim of the disk. Nothing else may use it meanwhile; nothing in the cluster locks it. */
  claim: string
  volumeMode: 'Filesystem' | 'Block'
  /** The container image. */
  image: string
  deadlineSeconds: number
}

/** Who owns a disk in KubeVirt. On OpenShift a service account needs the SCC nonroot-v2 for it. */
const qemu = 107

/** A pod that runs once, over a disk and what else it is given. */
export const podOver = <C extends object>({ claim }: DiskJob, container: C, volumes: readonly object[]) => ({
  restartPolicy: 'Never',
  automountServiceAccountToken: false,
  securityContext: {
    runAsNonRoot: true,
    runAsUser: qemu,
    runAsGroup: qemu,
    fsGroup: qemu,
    // A walk over all files at each start is for disks that are not KubeVirt's.
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
  },
  containers: [container],
  volumes: [{ name: 'disk', persistentVolumeClaim: { claimName: claim } }, ...volumes],
})

/** The container's security, beside its pod's. */
export const confined = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }

/** Where a disk is in the container: a file of a claim that is a file system, else the device itself. */
export const diskPath = ({ volumeMode }: DiskJob) => (volumeMode === 'Block' ? '/dev/vda' : '/disks/disk.img')

export interface Mount {
  name: string
  mountPath: string
  readOnly?: boolean
}

/** The fields of a container that make the disk be there; `readOnly` where it is only read. */
export function diskIn({ volumeMode }: DiskJob, mounts: readonly Mount[], { readOnly }: { readOnly: boolean }) {
  if (volumeMode === 'Block') return { volumeDevices: [{ name: 'disk', devicePath: '/dev/vda' }], volumeMounts: mounts }
  const disk: Mount = { name: 'disk', mountPath: '/disks', ...(readOnly && { readOnly }) }
  return { volumeMounts: [disk, ...mounts] }
}
