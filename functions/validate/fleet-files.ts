import type { Tree } from '../../shared/fleet.ts'
import { formatIp, parseIp } from '../../shared/ipam/address.ts'
import { wantedProblems } from '../../shared/ipam/allocate.ts'
import { toSubnets } from '../../shared/ipam/network.ts'
import {
  customizationFile,
  customizationsFolder,
  networkFile,
  networksFolder,
  templateFile,
  templatesFolder,
} from '../../shared/paths.ts'
import type { Checked } from '../../shared/schema/check.ts'
import { Customization, Network } from '../../shared/schema/fleet-files.ts'
import type { Machine } from '../../shared/schema/machine.ts'
import { foldersIn, namesIn, readChecked } from '../../shared/schema/read.ts'
import { listed, show } from '../../shared/schema/show.ts'
import { Template } from '../../shared/schema/template.ts'
import { twice } from '../../shared/twice.ts'

/** What a request needs of the fleet repository. Faults of those files are named with their path. */

/** The template of a name, or a sentence that names those that there are. */
export async function readTemplate(tree: Tree, name: string): Promise<Checked<Template>> {
  const template = await readChecked(tree, templateFile(name), Template)
  if (template) return template
  const known = await namesIn(tree, templatesFolder)
  return { ok: false, problems: [`template is ${show(name)}, wanted one that there is: ${listed(known, 20)}`] }
}

/** What is wrong with the networks of a machine, and with the addresses that are asked of them. */
export async function networkProblems(tree: Tree, machine: Machine): Promise<string[]> {
  const perNic = machine.networks.map(({ network, addresses = [] }, index) =>
    nicProblems(tree, network, addresses, `networks[${index}]`),
  )
  const asked = machine.networks.flatMap(({ network, addresses = [] }) =>
    addresses.flatMap((text) => {
      const ip = parseIp(text)
      return ip ? [`${formatIp(ip)} of ${network}`] : []
    }),
  )
  const doubled = twice(asked).map((address) => `networks ask for ${address} twice, wanted each address once`)
  return [...(await Promise.all(perNic)).flat(), ...doubled]
}

async function nicProblems(tree: Tree, name: string, addresses: readonly string[], path: string): Promise<string[]> {
  const network = await readChecked(tree, networkFile(name), Network)
  if (!network)
    return [
      `${path}.network is ${show(name)}, wanted one that there is: ${listed(await foldersIn(tree, networksFolder), 20)}`,
    ]
  if (!network.ok) return network.problems
  const subnets = toSubnets(network.value)
  if (!subnets.ok) return subnets.problems.map((problem) => `${networkFile(name)}: ${problem}`)
  return wantedProblems(name, subnets.value, addresses).map((problem) => `${path}.addresses: ${problem}`)
}

/** What is wrong with the customizations of a machine: those that it names, their guest and their variables. */
export async function customizationProblems(tree: Tree, machine: Machine): Promise<string[]> {
  const names = [...new Set(machine.customizations)]
  const read = await Promise.all(
    names.map(async (name) => ({ name, file: await readChecked(tree, customizationFile(name), Customization) })),
  )
  const answers = read.flatMap(({ name, file }) => (file?.ok && file.value.unattend !== undefined ? [name] : []))
  const known = read.some(({ file }) => !file) ? await namesIn(tree, customizationsFolder) : []
  return [
    ...read.flatMap(({ name, file }) => {
      if (!file) return [`customizations has ${show(name)}, wanted those that there are: ${listed(known, 20)}`]
      return file.ok ? misfits(name, file.value, machine) : file.problems
    }),
    ...(answers.length > 1 ? [`customizations ${listed(answers)} each have an answer file, wanted at most one`] : []),
  ]
}

function misfits(name: string, customization: Customization, machine: Machine): string[] {
  const guest =
    customization.guest === machine.guest
      ? []
      : [`customizations has ${show(name)}, which is for ${customization.guest}, wanted one for ${machine.guest}`]
  const variables = Object.entries(customization.variables ?? {})
    .filter(([variable, { default: value }]) => value === undefined && machine.variables[variable] === undefined)
    .map(
      ([variable, { description }]) =>
        `variables.${variable} is missing, wanted ${description}: customization ${show(name)} needs it`,
    )
  return [...guest, ...variables]
}
