import { toGuestConfiguration } from '../../shared/cloudinit/guest-configuration.ts'
import type { NamedCustomization } from '../../shared/cloudinit/lookup.ts'
import { DroverError } from '../../shared/errors.ts'
import type { Tree } from '../../shared/fleet.ts'
import { rootVolume, volumeOf } from '../../shared/kubevirt/manifest.ts'
import { readRecord } from '../../shared/ledger.ts'
import { customizationFile } from '../../shared/paths.ts'
import { requestOf } from '../../shared/request.ts'
import type { Definition } from '../../shared/schema/definition.ts'
import { Customization } from '../../shared/schema/fleet-files.ts'
import type { Machine } from '../../shared/schema/machine.ts'
import { readChecked } from '../../shared/schema/read.ts'
import { summary } from '../../shared/schema/show.ts'
import { ignored, type Outcome, type Run, refused, succeeded } from '../../shared/step.ts'

/**
 * Puts everything that the run has found out together in the machine's definition, with the customizations merged into
 * what the guest reads at its first boot. Changes nothing.
 */
export async function customize(run: Run, tree: Tree): Promise<Outcome> {
  const record = await readRecord(tree, run.id)
  if (record?.state !== 'running') return ignored(`Run ${run.id} has ended: there is nothing to customize`)
  const found = foundOut(run)
  const customizations = await readCustomizations(tree, found.machine.customizations)
  if (!customizations.ok) return refused(summary(`Cannot customize ${found.name}`, customizations.problems))
  const definition = toDefinition(run, found, customizations.value)
  const { length } = customizations.value
  return succeeded(`Embedded ${length} customization${length === 1 ? '' : 's'} for ${found.name}`, { definition })
}

/** What the tasks before must have found out. */
function foundOut({ id, facts }: Run) {
  const { machine, name, identity, interfaces, cluster } = facts
  if (!machine || name === undefined || !identity || !interfaces || cluster === undefined)
    throw new DroverError('unreadable', `Cannot customize: run ${id} has no machine, name, addresses or cluster yet`)
  return { machine, name, identity, interfaces, cluster, labels: facts.labels ?? {}, dns: facts.dns ?? [] }
}

async function readCustomizations(tree: Tree, names: readonly string[]) {
  const value: NamedCustomization[] = []
  const problems: string[] = []
  for (const name of names) {
    const file = await readChecked(tree, customizationFile(name), Customization)
    if (!file) problems.push(`customization "${name}" is not there any more`)
    else if (file.ok) value.push({ name, ...file.value })
    else problems.push(...file.problems)
  }
  return problems.length > 0 ? ({ ok: false, problems } as const) : ({ ok: true, value } as const)
}

/** The disks: blank and from the image, or from the snapshot of the machine that this one is made from. */
function disksOf({ facts }: Run, { rootDisk, disks }: Machine): Pick<Definition, 'rootDisk' | 'disks'> {
  const { imageVersion: version, origin, attached = [] } = facts
  if (!origin) return { rootDisk: { ...rootDisk, ...(version && { version }) }, disks: [...disks, ...attached] }
  // A disk that is made from a snapshot is as large as it was then.
  const from = (volume: string) => ({
    ...(origin.volumes[volume] && { snapshot: origin.volumes[volume] }),
    ...(origin.sizes?.[volume] && { size: origin.sizes[volume] }),
  })
  return {
    rootDisk: { ...rootDisk, ...from(rootVolume), ...(origin.version && { version: origin.version }) },
    disks: disks.map((disk) => ({ ...disk, ...from(volumeOf(disk)) })),
  }
}

function toDefinition(
  run: Run,
  { machine, name, identity, interfaces, cluster, labels, dns }: ReturnType<typeof foundOut>,
  customizations: NamedCustomization[],
): Definition {
  const { namespace } = run.request
  const owner = run.facts.origin?.owner ?? requestOf(run, 'provision').owner
  const { networks: _, ...made } = machine
  return {
    name,
    namespace,
    cluster,
    owner,
    requester: run.requester,
    operation: `${run.id}.create`,
    labels,
    running: true,
    ...made,
    ...disksOf(run, machine),
    identity,
    interfaces,
    dns,
    guestConfiguration: toGuestConfiguration({
      kind: machine.guest,
      name,
      namespace,
      interfaces,
      variables: machine.variables,
      customizations,
    }),
  }
}
