import type { Tree } from '../../../shared/fleet.ts'
import { addedDiskName } from '../../../shared/kubevirt/manifest.ts'
import { readPolicies } from '../../../shared/policies.ts'
import { dataDisksViolations } from '../../../shared/policy.ts'
import { bytes } from '../../../shared/quantity.ts'
import { requestOf } from '../../../shared/request.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import { listed, show } from '../../../shared/schema/show.ts'
import { twice } from '../../../shared/twice.ts'
import type { Edit } from '../edit.ts'

type Sized = Pick<Definition['rootDisk'], 'size' | 'made'>

/** Another size, disks that grow, disks that come, and disks that are let go of: those are kept. */
export const resize: Edit = async (definition, run, { tree }) => {
  const { size, grow = {}, add = [], detach = [] } = requestOf(run, 'resize')
  const names = definition.disks.map(({ name }) => name)
  const problems = [
    ...Object.keys(grow)
      .filter((name) => name !== 'root' && !names.includes(name))
      .map((name) => `grow names ${show(name)}, wanted a disk that there is: ${listed(['root', ...names])}`),
    ...detach
      .filter((name) => !names.includes(name))
      .map((name) => `detach names ${show(name)}, wanted a data disk that there is: ${listed(names)}`),
    ...twice([...names, ...add.map(({ name }) => name)]).map((name) => `add has ${show(name)}, which is there already`),
    ...Object.entries(grow).flatMap(([name, wanted]) => shrinks(name, wanted, definition)),
    ...(add.length === 0 ? [] : await tooMany(tree, definition, names.length - detach.length + add.length)),
  ]
  if (problems.length > 0) return { problems }
  const grown = <D extends Sized>(disk: D, wanted: string | undefined): D =>
    wanted === undefined || bytes(wanted) === bytes(disk.size)
      ? disk
      : { ...disk, size: wanted, made: disk.made ?? disk.size }
  const left = definition.disks.filter(({ name }) => !detach.includes(name))
  return {
    ...definition,
    ...(size && { size: { ...('preference' in definition.size && preferenceOf(definition.size)), ...size } }),
    rootDisk: grown(definition.rootDisk, grow['root']),
    disks: [
      ...left.map((disk) => grown(disk, grow[disk.name])),
      ...add.map((disk) => ({ ...disk, claim: addedDiskName(definition.name, disk.name, run.id) })),
    ],
  }
}

const preferenceOf = ({ preference }: Definition['size']) => (preference === undefined ? {} : { preference })

function shrinks(name: string, wanted: string, { rootDisk, disks }: Definition): string[] {
  const disk = name === 'root' ? rootDisk : disks.find((one) => one.name === name)
  return disk && bytes(wanted) < bytes(disk.size)
    ? [`grow.${name} is ${show(wanted)}, wanted more than ${show(disk.size)}: a disk never shrinks`]
    : []
}

/** How many disks a machine has is known only here, while it is held: two requests at once would each add the last one. */
async function tooMany(tree: Tree, { namespace }: Definition, disks: number): Promise<string[]> {
  const policies = await readPolicies(tree)
  return policies.ok ? dataDisksViolations(policies.value, namespace, disks) : policies.problems
}
