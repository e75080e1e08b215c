import { operationAnnotation } from '../kubevirt/manifest.ts'
import { type Application, type Metadata, refreshAnnotation } from '../machines.ts'

/**
 * Whether the cluster shows this commit, and not in part. What bears the operation (the machine, an image's DataSource) says
 * which run's definition it was made from; that everything beside it is there as well is what Synced says, but of the commit
 * that Argo CD compared last. That is ours, or one after it once the refresh that was asked for after our push is over: Argo
 * CD takes the annotation off together with writing what it found. Of any other revision only Git could tell which came
 * first, and nobody here may read Git.
 */
export function showsCommit(
  application: Application | undefined,
  bearer: { metadata: Metadata } | undefined,
  operation: string,
  revision: string | undefined,
): boolean {
  const { status, revision: compared } = application?.status?.sync ?? {}
  const isCompared = compared === revision || application?.metadata.annotations?.[refreshAnnotation] === undefined
  return bearer?.metadata.annotations?.[operationAnnotation] === operation && status === 'Synced' && isCompared
}
