import type { Tree } from './fleet.ts'
import { dataClaims } from './kubevirt/manifest.ts'
import type { Claim, MachineAddress, Machines } from './machines.ts'
import { claimsFile } from './paths.ts'
import type { Definition } from './schema/definition.ts'
import type { Claims } from './step.ts'
import { parseYaml, toYaml } from './yaml.ts'

/**
 * The claims that a machine's data is on, by uid. A claim that vanished is made anew by whoever wants it there, and is
 * empty: all would turn green, and the data would be gone. Its uid tells.
 */

/** The claims as they were recorded when they were seen last; nothing for a machine that nobody has looked at yet. */
export async function recordedClaims(tree: Tree, address: MachineAddress): Promise<Claims> {
  const path = claimsFile(address.cluster, address.namespace, address.name)
  const text = await tree.read(path)
  const found = text === undefined ? {} : parseYaml(text, path)
  return typeof found === 'object' && found !== null ? (found as Claims) : {}
}

export const claimsText = (claims: Claims): string =>
  toYaml(Object.fromEntries(Object.entries(claims).sort(([one], [other]) => (one < other ? -1 : 1))))

/** The claims that a machine's data is on as they are, and what is wrong with them since they were recorded. */
export async function lookAtData(
  machines: Machines,
  definition: Definition,
  recorded: Claims = {},
  names: readonly string[] = dataClaims(definition),
): Promise<{ claims: Claims; problems: string[] }> {
  const live = await machines.claims(definition.cluster, definition.namespace, names)
  return { claims: toClaims(live), problems: claimProblems(names, recorded, live) }
}

/** What is wrong with the claims of a machine's data, as sentences: nothing may go on while one is not what it was. */
export function claimProblems(wanted: readonly string[], recorded: Claims, live: readonly Claim[]): string[] {
  return wanted.flatMap((name) => {
    const claim = live.find(({ metadata }) => metadata.name === name)
    if (!claim) return [`the claim ${name} of a data disk is not there`]
    const { uid, ownerReferences = [] } = claim.metadata
    const before = recorded[name]
    const owner = ownerReferences.find(({ kind }) => kind === 'VirtualMachine')
    return [
      ...(before === undefined || before === uid
        ? []
        : [`the claim ${name} of a data disk came anew: it was ${before} and is ${uid}; its data may be lost`]),
      ...(owner
        ? [`the claim ${name} of a data disk belongs to VirtualMachine ${owner.name} and would go with it`]
        : []),
    ]
  })
}

/** The claims by name and uid, as they are recorded. */
export const toClaims = (live: readonly Claim[]): Claims =>
  Object.fromEntries(live.map(({ metadata }) => [metadata.name, metadata.uid]))

/** True for a claim that is filled from a snapshot once a pod uses it: no guest has run from it, and its data is in that snapshot alone. */
export const isUnfilled = ({ spec, status }: Claim): boolean =>
  status?.phase === 'Pending' && spec?.dataSource?.kind === 'VolumeSnapshot'
