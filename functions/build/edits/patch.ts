import type { Tree } from '../../../shared/fleet.ts'
import { customizationFile } from '../../../shared/paths.ts'
import { requestOf } from '../../../shared/request.ts'
import { Customization } from '../../../shared/schema/fleet-files.ts'
import type { GuestCustomization } from '../../../shared/schema/guest-customization.ts'
import { readChecked } from '../../../shared/schema/read.ts'
import { show } from '../../../shared/schema/show.ts'
import type { Edit, Unfit } from '../edit.ts'

/** Has the root disk changed by a Job; the machine is off, and its snapshot is taken. */
export const patch: Edit = async (definition, run, given) => {
  const customization = (await customizationOf(requestOf(run, 'patch'), given.tree)) ?? { update: true }
  if ('problems' in customization) return customization
  const left = Date.parse(run.deadline) - Date.parse(run.since)
  return {
    ...definition,
    patch: {
      name: patchName(definition.name, run.id),
      image: given.guestfsImage,
      volumeMode: run.facts.volumeMode ?? 'Filesystem',
      customization,
      deadlineSeconds: Math.max(60, Math.floor(left / 1000)),
    },
  }
}

/** Kubernetes labels a Job's pod with its name, so it is no longer than a label. */
const patchName = (machine: string, run: string) => `${machine.slice(0, 48)}-patch-${run.slice(0, 8)}`

/** The customization that a request says or names; undefined where it does neither. */
export async function customizationOf(
  { customization, customizationName: name }: { customization?: GuestCustomization; customizationName?: string },
  tree: Tree,
): Promise<GuestCustomization | Unfit | undefined> {
  if (name === undefined) return customization
  const path = customizationFile(name)
  const found = await readChecked(tree, path, Customization)
  if (!found) return { problems: [`customizationName is ${show(name)}, wanted a file of customizations/`] }
  if (!found.ok) return { problems: found.problems }
  return found.value.disk ?? { problems: [`${path} says nothing of disks, wanted its field "disk"`] }
}
