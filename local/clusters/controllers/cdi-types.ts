import type { Condition, KubeObject } from '../object.ts'
import type { Claim } from './claim-types.ts'

export interface Reference {
  kind?: string
  namespace?: string
  name: string
}

export interface DataVolume extends KubeObject {
  spec: {
    source?: Record<string, { url?: string; namespace?: string; name?: string } | undefined>
    sourceRef?: Reference
    storage?: Claim['spec']
    pvc?: Claim['spec']
  }
  status?: { phase?: string; progress?: string; claimName?: string; conditions?: Condition[] }
}

export interface DataSourceSource {
  pvc?: Reference
  snapshot?: Reference
  dataSource?: Reference
}

export interface DataSource extends KubeObject {
  spec: { source: DataSourceSource }
  status?: { source?: DataSourceSource; conditions?: Condition[] }
}

export interface DataImportCron extends KubeObject {
  spec: {
    template: { metadata?: DataVolume['metadata']; spec: DataVolume['spec'] }
    managedDataSource: string
    importsToKeep?: number
    garbageCollect?: 'Outdated' | 'Never'
    schedule?: string
  }
  status?: {
    currentImports?: { DataVolumeName: string; Digest: string }[]
    lastImportedPVC?: { namespace: string; name: string }
    lastImportTimestamp?: string
    sourceFormat?: string
    conditions?: Condition[]
  }
}

/** Says of a DataVolume that its claim is made, and filled, by somebody else. */
export const prePopulated = 'cdi.kubevirt.io/storage.prePopulated'
/** Says of a claim which DataVolume it is for, which then takes it over. */
export const populatedFor = 'cdi.kubevirt.io/storage.populatedFor'
