import { claimProblems } from '../../shared/claims.ts'
import { dataClaims, rootDiskName } from '../../shared/kubevirt/manifest.ts'
import { virtualMachine } from '../../shared/kubevirt/virtual-machine.ts'
import type { Claim, VirtualMachine } from '../../shared/machines.ts'
import { canonical } from '../../shared/quantity.ts'
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
  return [
    ...powerProblems(definition, machine),
    ...featureProblems(definition, machine),
    ...volumeProblems(definition, machine),
    ...disks,
  ]
}

function powerProblems({ running }: Definition, { spec }: VirtualMachine): string[] {
  const wanted = running ? 'Always' : 'Halted'
  return spec?.runStrategy === wanted
    ? []
    : [`its runStrategy is ${spec?.runStrategy} and ${wanted} in Git: somebody turned it on or off beside Git`]
}

/**
 * What its guest knows the machine by, and its size. Everything else that somebody changes beside Git, Argo CD puts back; this
 * too, but a guest may have been started in between.
 */
function featureProblems(definition: Definition, { spec }: VirtualMachine): string[] {
  const wanted = featuresOf(virtualMachine(definition).spec as VirtualMachine['spec'])
  const shown = featuresOf(spec)
  return Object.entries(wanted).flatMap(([what, value]) =>
    value === undefined || isSame(value, shown[what]) ? [] : [`its ${what} is ${shown[what]} and ${value} in Git`],
  )
}

/** By the words of the sentence that names one. */
function featuresOf(spec: VirtualMachine['spec']): Record<string, string | number | undefined> {
  const { cpu, memory, firmware, devices } = spec?.template?.spec?.domain ?? {}
  return {
    'firmware uuid': firmware?.uuid,
    serial: firmware?.serial,
    'instance type': spec?.instancetype?.name,
    'number of cores': cpu?.cores,
    memory: memory?.guest,
    ...Object.fromEntries((devices?.interfaces ?? []).map(({ name, macAddress }) => [`MAC of ${name}`, macAddress])),
  }
}

/** Kubernetes may write a quantity in another way, and a MAC in other letters. */
const isSame = (wanted: string | number, shown: string | number | undefined): boolean =>
  shown !== undefined &&
  (inPlainWords(wanted) === inPlainWords(shown) || canonical(String(wanted)) === canonical(String(shown)))

const inPlainWords = (value: string | number) => String(value).toLowerCase()

function volumeProblems(definition: Definition, { spec }: VirtualMachine): string[] {
  const volumes = spec?.template?.spec?.volumes ?? []
  const mounted = volumes.flatMap(({ persistentVolumeClaim: claim }) => (claim ? [claim.claimName] : []))
  const wanted = [rootDiskName(definition), ...dataClaims(definition)]
  const isSame = mounted.length === wanted.length && wanted.every((name) => mounted.includes(name))
  return isSame ? [] : [`its disks are ${listed(mounted)} and ${listed(wanted)} in Git`]
}
