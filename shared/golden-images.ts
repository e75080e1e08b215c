import type {
  Application,
  Condition,
  DataVolume,
  ExternalSecret,
  Job,
  MachineAddress,
  Metadata,
  Seen,
} from './machines.ts'

/** Golden images as the clusters show them. */

/** What CDI shows of a DataSource, the name that an image is found under. */
export interface DataSource {
  metadata: Metadata
  spec?: { source?: Record<string, { namespace: string; name: string }> }
  status?: { source?: Record<string, { namespace: string; name: string }>; conditions?: Condition[] }
}

/** A DataImportCron, which follows a tag of a registry. */
export interface DataImportCron {
  metadata: Metadata
  status?: { conditions?: Condition[] }
}

/** Everything of one golden image at one moment. */
export interface ImageView extends Seen {
  application: Application | undefined
  disks: DataVolume[]
  secrets: ExternalSecret[]
  jobs: Job[]
  sources: DataSource[]
  crons: DataImportCron[]
}

/** The golden images of the managed clusters: as they are made, and as machines are made from them. */
export interface GoldenImages {
  /** An image as it is now, and again, as a machine is watched. */
  watch(address: MachineAddress, signal: AbortSignal): AsyncIterable<ImageView>
  /** A DataSource by its name. */
  dataSource(cluster: string, namespace: string, name: string): Promise<DataSource | undefined>
  /**
   * What a DataSource stands for now, such as "pvc golden/rhel9-4f2a"; undefined when there is none, or when it stands for
   * nothing yet.
   */
  version(cluster: string, namespace: string, dataSource: string): Promise<string | undefined>
}

/** Why nothing can be made from a DataSource that has no version. */
export const noDisk = ({ namespace, dataSource }: { namespace: string; dataSource: string }): string =>
  `DataSource ${namespace}/${dataSource} stands for no disk there`
