import type { GuestCustomization } from '../schema/guest-customization.ts'

/** One Secret and the keys of it that a customization needs, and no more are shown to the pod. */
export interface MountedSecret {
  secret: string
  keys: string[]
}

/** Where the pod sees a key of a Secret, from the folder it works in. Names and keys have nothing that a command would split at. */
export const secretFile = (secret: string, key: string): string => `secrets/${secret}/${key}`

/** The Secrets that a customization names, in one order, each once. */
export function secretsOf({ rootPassword, subscription, sshKeys = [] }: GuestCustomization): MountedSecret[] {
  const wanted = [
    ...(rootPassword ? [[rootPassword.secret, rootPassword.key] as const] : []),
    ...(subscription
      ? [[subscription.secret, subscription.org] as const, [subscription.secret, subscription.activationKey] as const]
      : []),
    ...sshKeys.map(({ secret, key }) => [secret, key] as const),
  ]
  const names = [...new Set(wanted.map(([secret]) => secret))].sort()
  return names.map((secret) => ({
    secret,
    keys: [...new Set(wanted.filter(([name]) => name === secret).map(([, key]) => key))].sort(),
  }))
}
