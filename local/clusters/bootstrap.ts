import type { Repository } from './controllers/argocd.ts'
import type { NewObject } from './object.ts'

/** Where the root Application finds the hub's own objects; the first repository's folder `hub` unless said otherwise. */
export type Bootstrap = boolean | { repoURL: string; path?: string; targetRevision?: string }

/** The root Application `drover-hub`, which applies what Git has for the hub; none where nothing is to be bootstrapped. */
export function rootApplication(bootstrap: Bootstrap | undefined, [first]: Repository[]): NewObject[] {
  if (!bootstrap) return []
  const { repoURL = first?.url ?? '', path = 'hub', targetRevision = 'main' } = bootstrap === true ? {} : bootstrap
  const source = { repoURL, path, targetRevision, directory: { recurse: true } }
  const syncPolicy = {
    automated: { prune: true, selfHeal: true, allowEmpty: true },
    syncOptions: ['ApplyOutOfSyncOnly=true'],
    retry: { limit: 5, refresh: true },
  }
  const spec = { project: 'default', source, destination: { name: 'in-cluster', namespace: 'argocd' }, syncPolicy }
  return [
    {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name: 'drover-hub', namespace: 'argocd' },
      spec,
    },
  ]
}
