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
 * The Application of an image. A machine's has no dot in its name, and that of a namespace ends with the namespace: none
 * that begins with `kube-` holds machines, by a policy that is always in force.
 */
export const imageApplicationName = (image: string) => `${image}.kube-image`
