import { type Customized, customizationOf } from '../../shared/disk-customization.ts'
import type { Tree } from '../../shared/fleet.ts'
import { customizationsFolder } from '../../shared/paths.ts'
import { namesIn } from '../../shared/schema/read.ts'
import { listed } from '../../shared/schema/show.ts'

/** What is wrong with how a disk is customized; said before a machine is stopped for it, or a disk imported. */
export async function diskCustomizationProblems(tree: Tree, request: Customized): Promise<string[]> {
  if (request.customization && request.customizationName !== undefined)
    return ['customization and customizationName are both there, wanted one of them']
  const known = async () => `one that there is: ${listed(await namesIn(tree, customizationsFolder), 20)}`
  const found = await customizationOf(request, tree, known)
  return found && 'problems' in found ? found.problems : []
}
