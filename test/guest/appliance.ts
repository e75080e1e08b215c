/**
 * How libguestfs runs the little machine that it looks into disks with: emulated, for a machine that is itself one seldom
 * has a KVM that works.
 */
export const appliance = { LIBGUESTFS_BACKEND: 'direct', LIBGUESTFS_BACKEND_SETTINGS: 'force_tcg' }
