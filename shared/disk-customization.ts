import type { Tree } from './fleet.ts'
import { customizationFile } from './paths.ts'
import { Customization } from './schema/fleet-files.ts'
import type { GuestCustomization } from './schema/guest-customization.ts'
import { readChecked } from './schema/read.ts'
import { show } from './schema/show.ts'

/** What a request may say of how a disk is customized: by itself, or by a name. */
export interface Customized {
  customization?: GuestCustomization
  customizationName?: string
}

/** The customization that a request says or names, or what is wrong with the one it names; undefined where it does neither. */
export async function customizationOf(
  { customization, customizationName: name }: Customized,
  tree: Tree,
  wanted: () => string | Promise<string> = () => 'a file of customizations/',
): Promise<GuestCustomization | { problems: string[] } | undefined> {
  if (name === undefined) return customization
  const path = customizationFile(name)
  const found = await readChecked(tree, path, Customization)
  if (!found) return { problems: [`customizationName is ${show(name)}, wanted ${await wanted()}`] }
  if (!found.ok) return { problems: found.problems }
  return found.value.disk ?? { problems: [`${path} says nothing of disks, wanted its field "disk"`] }
}
