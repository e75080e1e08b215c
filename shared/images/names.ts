/** How the objects of a golden image are called. */

/** The label that all of them carry. */
export const imageLabel = 'drover.dev/image'

/** A disk is never changed once it is published: each run makes another one. */
export const buildName = (image: string, run: string) => `${image}-${run.slice(0, 8)}`

type Named = { name: string }

/** A Job cannot be changed, and a Pod of one run must not be taken for that of another. */
export const customizeName = ({ name }: Named) => `${name}-customize`
export const pushName = ({ name }: Named) => `${name}-push`

/** The DataSource that stands for whatever the tag does, and the DataImportCron that sees to it. */
export const followerName = (dataSource: string) => `${dataSource}-latest`

/**
 * CDI's first Job for a DataImportCron is `initial-job-<name>-<8 digits>`, and no Job's name is longer than a label. Where it is,
 * CDI imports nothing and says so only in its log.
 * https://github.com/kubevirt/containerized-data-importer/blob/v1.65.0/pkg/controller/dataimportcron-controller.go
 */
export const longestFollower = 63 - 'initial-job-'.length - '-01234567'.length

/**
 * The Application of an image. A machine's has no dot in its name, and that of a namespace ends with the namespace: none
 * that begins with `kube-` holds machines, by a policy that is always in force.
 */
export const imageApplicationName = (image: string) => `${image}.kube-image`
