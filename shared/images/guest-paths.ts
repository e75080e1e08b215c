/** Where Drover's own things lie in a guest. */

export const folder = '/var/lib/drover'

/** The credentials of a subscription, while packages are worked on. */
export const credentialsFolder = `${folder}/subscription`

/** A script of the customization, while it runs. */
export const scriptFile = `${folder}/script`

/** The packages before and after, each line `before name version` or `after name version`. They stay in the guest. */
export const packagesBefore = `${folder}/packages.before`
export const packagesAfter = `${folder}/packages.after`
