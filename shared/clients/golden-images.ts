import type { DataImportCron, DataSource, GoldenImages } from '../golden-images.ts'
import { imageApplicationName, imageLabel } from '../images/names.ts'
import type { Application, DataVolume, ExternalSecret, Job } from '../machines.ts'
import { type Access, type ArgoHub, type Context, getObject } from './access.ts'
import { kinds } from './kinds.ts'
import { type Source, watchObjects } from './watch.ts'

/** The golden images of all managed clusters. */
export const openGoldenImages = (to: Context, { access: onHub, argocdNamespace }: ArgoHub): GoldenImages => ({
  async *watch({ cluster, namespace, name }, signal) {
    const common = { access: to(cluster), namespace, labelSelector: `${imageLabel}=${name}` }
    const application = { namespace: argocdNamespace, fieldSelector: `metadata.name=${imageApplicationName(name)}` }
    const sources: Source[] = [
      { access: onHub, ...kinds.applications, ...application },
      { ...common, ...kinds.dataVolumes },
      { ...common, ...kinds.externalSecrets, optional: true },
      { ...common, ...kinds.jobs },
      { ...common, ...kinds.dataSources },
      { ...common, ...kinds.dataImportCrons },
    ]
    for await (const { objects, isStale } of watchObjects(sources, signal)) {
      const [applications, disks, secrets, jobs, pinned, crons] = objects
      yield {
        application: applications?.[0] as Application | undefined,
        disks: (disks ?? []) as DataVolume[],
        secrets: (secrets ?? []) as ExternalSecret[],
        jobs: (jobs ?? []) as Job[],
        sources: (pinned ?? []) as DataSource[],
        crons: (crons ?? []) as DataImportCron[],
        ...(isStale && { isStale }),
      }
    }
  },
  dataSource: (cluster, namespace, name) => dataSourceIn(to(cluster), namespace, name),
  async version(cluster, namespace, name) {
    const found = await dataSourceIn(to(cluster), namespace, name)
    const [[kind, source] = []] = Object.entries(found?.status?.source ?? found?.spec?.source ?? {})
    return kind && source ? `${kind} ${source.namespace}/${source.name}` : undefined
  },
})

const dataSourceIn = (access: Access, namespace: string, name: string) =>
  getObject<DataSource>(access, { ...kinds.dataSources, namespace, name })
