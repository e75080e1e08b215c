import type { Condition, KubeObject } from '../object.ts'

export interface Claim extends KubeObject {
  spec: {
    storageClassName?: string
    accessModes?: string[]
    volumeMode?: string
    volumeName?: string
    resources?: { requests?: { storage?: string } }
    dataSource?: { apiGroup?: string; kind: string; name: string }
  }
  status?: { phase?: 'Pending' | 'Bound' | 'Lost'; capacity?: { storage?: string }; conditions?: Condition[] }
}

export interface Pod extends KubeObject {
  spec: {
    nodeName?: string
    volumes?: {
      name: string
      persistentVolumeClaim?: { claimName: string; readOnly?: boolean }
      secret?: { secretName: string }
    }[]
    containers?: { name: string; image: string }[]
  }
  status?: { phase?: string; conditions?: Condition[]; startTime?: string }
}

/** Whether all of a pod's containers have ended. */
export function hasEnded({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed'
}

/** The claims that a pod mounts. */
export function claimsOf({ metadata, spec }: Pod): string[] {
  const names = (spec.volumes ?? []).flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? [])
  return names.map((name) => `${metadata.namespace}/${name}`)
}
