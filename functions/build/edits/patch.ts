import { customizationOf } from '../../../shared/disk-customization.ts'
import { requestOf } from '../../../shared/request.ts'
import type { Edit } from '../edit.ts'

/** Has the root disk changed by a Job; the machine is off, and its snapshot is taken. */
export const patch: Edit = async (definition, run, given) => {
  const customization = (await customizationOf(requestOf(run, 'patch'), given.tree)) ?? { update: true }
  if ('problems' in customization) return customization
  const left = Date.parse(run.deadline) - Date.parse(run.since)
  return {
    ...definition,
    patch: {
      name: patchName(definition.name, run.id),
      ...given.guestfs,
      volumeMode: run.facts.volumeMode ?? 'Filesystem',
      customization,
      deadlineSeconds: Math.max(60, Math.floor(left / 1000)),
    },
  }
}

/** Kubernetes labels a Job's pod with its name, so it is no longer than a label. */
const patchName = (machine: string, run: string) => `${machine.slice(0, 48)}-patch-${run.slice(0, 8)}`
