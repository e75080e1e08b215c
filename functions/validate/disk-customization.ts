import type { Tree } from '../../shared/fleet.ts'
import { customizationFile, customizationsFolder } from '../../shared/paths.ts'
import { Customization } from '../../shared/schema/fleet-files.ts'
import type { GuestCustomization } from '../../shared/schema/guest-customization.ts'
import { namesIn, readChecked } from '../../shared/schema/read.ts'
import { listed, show } from '../../shared/schema/show.ts'

/** What a request may say of how a disk is customized: by itself, or by a name. */
interface Customized {
  customization?: GuestCustomization
  customizationName?: string
}

/** What is wrong with it; said before a machine is stopped for it, or a disk imported. */
export async function diskCustomizationProblems(
  tree: Tree,
  { customization, customizationName: name }: Customized,
): Promise<string[]> {
  if (name === undefined) return []
  if (customization) return ['customization and customizationName are both there, wanted one of them']
  const path = customizationFile(name)
  const found = await readChecked(tree, path, Customization)
  if (!found) {
    const known = await namesIn(tree, customizationsFolder)
    return [`customizationName is ${show(name)}, wanted one that there is: ${listed(known, 20)}`]
  }
  if (!found.ok) return found.problems
  return found.value.disk ? [] : [`${path} says nothing of disks, wanted its field "disk"`]
}
