import type { SecretReference } from '../schema/fleet-files.ts'
import type { NamedCustomization } from './lookup.ts'

/** Every secret of the customizations; it may be defined twice only if it is the same. */
export function agreedSecrets(
  customizations: readonly NamedCustomization[],
  problems: string[],
): Map<string, SecretReference> {
  const agreed = new Map<string, { by: string; reference: SecretReference }>()
  for (const { name: by, secrets } of customizations)
    for (const [secret, reference] of Object.entries(secrets ?? {})) {
      const other = agreed.get(secret)
      if (!other) agreed.set(secret, { by, reference })
      else if (!isSame(other.reference, reference))
        problems.push(`customizations "${other.by}" and "${by}" define the secret "${secret}" differently`)
    }
  return new Map([...agreed].map(([secret, { reference }]) => [secret, reference]))
}

const isSame = (one: SecretReference, other: SecretReference) =>
  one.store === other.store &&
  (one.storeKind ?? 'SecretStore') === (other.storeKind ?? 'SecretStore') &&
  one.key === other.key &&
  one.property === other.property
