import { claimProblems } from '../../shared/claims.ts'
import { dataClaims, rootDiskName } from '../../shared/kubevirt/manifest.ts'
import type { Claim, VirtualMachine } from '../../shared/machines.ts'
import type { Definition } from '../../shared/schema/definition.ts'
import { listed } from '../../shared/schema/show.ts'
import type { Claims } from '../../shared/step.ts'

/** What the cluster shows of a machine before a run changes it. */
export interface Shown {
  machine: VirtualMachine | undefined
  claims: readonly Claim[]
}

/**
 * Where the cluster is not what Git says: whoever went on would change something else than what the request is about. Of a
 * machine that is to go only its disks count.
 */
export function differences(
  definition: Definition,
  recorded: Claims,
  { machine, claims }: Shown,
  goes: boolean,
): string[] {
  const disks = claimProblems(dataClaims(definition), recorded, claims)
  if (goes) return disks
  if (!machine) return ['the cluster has no VirtualMachine of that name', ...disks]
  return [...powerProblems(definition, machine), ...volumeProblems(definition, machine), ...disks]
}

function powerProblems({ running }: Definition, { spec }: VirtualMachine): string[] {
  const wanted = running ? 'Always' : 'Halted'
  return spec?.runStrategy === wanted
    ? []
    : [`its runStrategy is ${spec?.runStrategy} and ${wanted} in Git: somebody turned it on or off beside Git`]
}

function volumeProblems(definition: Definition, { spec }: VirtualMachine): string[] {
  const volumes = spec?.template?.spec?.volumes ?? []
  const mounted = volumes.flatMap(({ persistentVolumeClaim: claim }) => (claim ? [claim.claimName] : []))
  const wanted = [rootDiskName(definition), ...dataClaims(definition)]
  const isSame = mounted.length === wanted.length && wanted.every((name) => mounted.includes(name))
  return isSame ? [] : [`its disks are ${listed(mounted)} and ${listed(wanted)} in Git`]
}
