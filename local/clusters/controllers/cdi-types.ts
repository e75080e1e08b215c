import type { Condition, KubeObject } from '../object.ts'
import type { Claim } from './claims.ts'

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

export interface DataSource extends KubeObject {
  spec: { source: { pvc?: Reference; snapshot?: Reference } }
  status?: { conditions?: Condition[] }
}
