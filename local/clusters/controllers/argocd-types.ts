import type { KubeObject } from '../object.ts'
import type { Source } from './argocd-source.ts'

export interface Application extends KubeObject {
  spec: {
    project?: string
    source?: Source
    destination: { name?: string; server?: string; namespace?: string }
    syncPolicy?: {
      automated?: { prune?: boolean; selfHeal?: boolean; allowEmpty?: boolean; enabled?: boolean }
      syncOptions?: string[]
      retry?: {
        limit?: number
        refresh?: boolean
        backoff?: { duration?: string; factor?: number; maxDuration?: string }
      }
    }
    ignoreDifferences?: {
      group?: string
      kind: string
      name?: string
      jsonPointers?: string[]
      jqPathExpressions?: string[]
    }[]
  }
  operation?: unknown
  status?: {
    sync?: { status: string; revision?: string }
    health?: { status: string; lastTransitionTime?: string }
    operationState?: OperationState
    conditions?: { type: string; message: string; lastTransitionTime?: string }[]
    reconciledAt?: string
  }
}

export interface OperationState {
  phase: 'Running' | 'Succeeded' | 'Failed' | 'Error'
  message: string
  startedAt: string
  finishedAt?: string | undefined
  retryCount?: number
  syncResult: { revision: string; resources?: unknown[] }
  operation: unknown
}

export const finalizer = 'resources-finalizer.argocd.argoproj.io'
