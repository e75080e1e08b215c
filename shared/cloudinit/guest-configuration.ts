import { DroverError, messageOf } from '../errors.ts'
import type { GuestConfiguration } from '../schema/definition.ts'
import type { SecretReference } from '../schema/fleet-files.ts'
import { summary } from '../schema/show.ts'
import { agreedSecrets } from './agreed-secrets.ts'
import { type Filled, fillText, fillValue, type Lookup } from './fill.ts'
import { fqdnOf, type Guest, type NamedCustomization, toLookup } from './lookup.ts'
import { takeMergers } from './merge-how.ts'
import { networkData } from './network-data.ts'
import { type Format, marker, secretsIn, toTemplate, xmlFormat, yamlFormat } from './secrets.ts'
import { userData } from './user-data.ts'

/** A customization whose texts are filled. */
interface Part {
  userData?: object
  networkData?: object
  unattend?: string
}

/**
 * What the guest reads at its first boot, out of the customizations in their order. All that is wrong with them is
 * refused at once: an unknown placeholder, a variable without a value, two that define one secret differently.
 */
export function toGuestConfiguration(guest: Guest): GuestConfiguration {
  const problems: string[] = []
  const secrets = agreedSecrets(guest.customizations, problems)
  const parts = guest.customizations.map((one) => toPart(one, guest, secrets, problems))
  const unattends = guest.customizations.filter((one) => one.unattend !== undefined)
  if (unattends.length > 1)
    problems.push(`${unattends.map(({ name }) => `"${name}"`).join(' and ')} both have an unattend, wanted one at most`)
  if (problems.length > 0) throw new DroverError('refused', summary(`Cannot customize ${guest.name}`, problems))
  return toTexts(guest, parts, secrets)
}

function toTexts(guest: Guest, parts: readonly Part[], secrets: Map<string, SecretReference>): GuestConfiguration {
  const { name, interfaces } = guest
  const configs = parts.flatMap((part) => part.userData ?? [])
  const networks = parts.flatMap((part) => part.networkData ?? [])
  const unattend = parts.find((part) => part.unattend !== undefined)?.unattend
  const texts: Text[] = [
    // A Windows guest has cloudbase-init only where somebody customizes it by user-data.
    ...(guest.kind === 'linux' || configs.length > 0
      ? [toText('userData', userData({ name, fqdn: fqdnOf(name, interfaces) }, configs), yamlFormat)]
      : []),
    toText('networkData', networkData(interfaces, networks), yamlFormat),
    ...(unattend === undefined ? [] : [toText('unattend', unattend, xmlFormat)]),
  ]
  const needed = [...secrets].filter(([secret]) =>
    texts.some(({ text, format }) => secretsIn(text, format).includes(secret)),
  )
  return {
    // One secret makes templates of all texts, so that who writes the Secrets need not know which is which.
    ...Object.fromEntries(
      texts.map(({ key, text, format }) => [key, needed.length > 0 ? toTemplate(text, format) : text]),
    ),
    secrets: Object.fromEntries(needed),
  }
}

interface Text {
  key: 'userData' | 'networkData' | 'unattend'
  text: string
  format: Format
}

const toText = (key: Text['key'], text: string, format: Format): Text => ({ key, text, format })

function toPart(
  customization: NamedCustomization,
  guest: Guest,
  secrets: ReadonlyMap<string, SecretReference>,
  problems: string[],
): Part {
  const problem = (sentence: string) => problems.push(`customization "${customization.name}" ${sentence}`)
  for (const [name, { default: fallback, description }] of Object.entries(customization.variables ?? {}))
    if (fallback === undefined && guest.variables[name] === undefined)
      problem(`needs a value for the variable "${name}" (${description})`)
  const lookup = toLookup(customization, guest, secrets)
  const xmlLookup: Lookup = (placeholder) => escapeXml(lookup(placeholder))
  const checked = <T>(before: unknown, { value, unknown }: Filled<T>): T => {
    for (const placeholder of new Set(unknown))
      problem(`uses ${placeholder}, which nothing defines; write $${placeholder} for a text that stays as it is`)
    if (holdsMarker(before)) problem('holds the control character U+0001')
    return value
  }
  const { userData, networkData, unattend } = customization
  for (const fault of mergeFaults(userData)) problem(fault)
  return {
    ...(userData && { userData: checked(userData, fillValue(userData, lookup)) as object }),
    ...(networkData && { networkData: checked(networkData, fillValue(networkData, lookup)) as object }),
    ...(unattend !== undefined && { unattend: checked(unattend, fillText(unattend, xmlLookup)) }),
  }
}

const escapeXml = (text: string | undefined) =>
  text?.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

function holdsMarker(value: unknown): boolean {
  if (typeof value === 'string') return value.includes(marker)
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsMarker)
}

function mergeFaults(userData: Record<string, unknown> = {}): string[] {
  try {
    takeMergers(userData)
    return []
  } catch (error) {
    return [`has a merge_how that cannot be read: ${messageOf(error)}`]
  }
}
