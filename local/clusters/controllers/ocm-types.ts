import type { Condition, KubeObject } from '../object.ts'
import type { LabelSelector } from '../selector.ts'

export const placementLabel = 'cluster.open-cluster-management.io/placement'

export interface ManagedCluster extends KubeObject {
  spec: { taints?: Taint[] }
  status?: {
    allocatable?: Record<string, string>
    clusterClaims?: { name: string; value: string }[]
    conditions?: Condition[]
  }
}

export interface Taint {
  key: string
  value?: string
  effect: string
  timeAdded?: string
}

export interface Toleration {
  key?: string
  operator?: string
  value?: string
  effect?: string
  tolerationSeconds?: number
}

export interface Prioritizer {
  scoreCoordinate: { type?: 'BuiltIn' | 'AddOn'; builtIn?: string; addOn?: { resourceName: string; scoreName: string } }
  weight?: number
}

export interface Placement extends KubeObject {
  spec: {
    clusterSets?: string[]
    numberOfClusters?: number
    predicates?: { requiredClusterSelector?: { labelSelector?: LabelSelector; claimSelector?: LabelSelector } }[]
    prioritizerPolicy?: { mode?: 'Additive' | 'Exact'; configurations?: Prioritizer[] }
    tolerations?: Toleration[]
  }
  status?: { conditions?: Condition[] }
}

export interface Decision extends KubeObject {
  status?: { decisions?: { clusterName: string; reason: string }[] }
}

export interface SetBinding extends KubeObject {
  spec: { clusterSet: string }
}

export interface Score extends KubeObject {
  status?: { scores?: { name: string; value: number }[]; validUntil?: string }
}
