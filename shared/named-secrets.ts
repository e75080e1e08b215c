import type { GuestCustomization } from './schema/guest-customization.ts'
import type { ImageRequest } from './schema/requests.ts'

/**
 * The Secrets of its namespace that a request names. A customization writes them into a disk, where who owns the machine
 * reads them, and CDI and the push hand them to a server: so naming one is as good as reading it.
 */
export interface NamedSecret {
  /** Where the request names it. */
  path: string
  secret: string
  /** Undefined where all of it is used. */
  key?: string
}

/** The parts of requests that name Secrets, or have them made. */
type Asked = Partial<Pick<ImageRequest, 'source' | 'customization' | 'push' | 'publish' | 'secrets'>>

/** Every Secret that a request names, each key by itself. */
export function namedSecrets({ source, customization, push, publish }: Asked): NamedSecret[] {
  return [
    ...(customization ? inCustomization(customization) : []),
    ...(source && 'url' in source ? whole('source.secretHeaders', source.secretHeaders) : []),
    ...(source && 'registry' in source ? whole('source.secret', source.secret) : []),
    ...whole('push.secret', push?.secret),
    ...whole('publish.follow.secret', publish?.follow?.secret),
  ]
}

/** Those of them that were there before: what a request has made from a store is held to where it comes from. */
function foundSecrets(request: Asked): NamedSecret[] {
  const made = new Map(request.secrets?.map(({ name, data }) => [name, data]))
  return namedSecrets(request).filter(({ secret, key }) => {
    const data = made.get(secret)
    return !data || (key !== undefined && !Object.hasOwn(data, key))
  })
}

/** Each with the word that a policy has for it: no store is called so, for `:` is in no name. */
export const secretWords = (request: Asked): [path: string, word: string][] =>
  foundSecrets(request).map(({ path, secret, key }) => [path, `Secret:${secret}${key === undefined ? '' : `/${key}`}`])

/** Endings of what Drover makes for machines, and of what Kubernetes and OpenShift make for ServiceAccounts. */
const endings: readonly [ending: RegExp, whose: string][] = [
  [/-(cloudinit|sysprep)$/, 'of machines'],
  // Five characters as Kubernetes draws them.
  [/-(token|dockercfg)-[bcdfghjklmnpqrstvwxz2456789]{5}$/, 'of a ServiceAccount'],
]

/** Whose a Secret is that no request may name, whatever policy says; undefined for any other. */
export const whoseSecret = (name: string): string | undefined => endings.find(([ending]) => ending.test(name))?.[1]

function inCustomization({ rootPassword, subscription, sshKeys = [] }: GuestCustomization): NamedSecret[] {
  const at = 'customization'
  return [
    ...(rootPassword ? [{ path: `${at}.rootPassword`, ...rootPassword }] : []),
    ...(subscription
      ? [
          { path: `${at}.subscription.org`, secret: subscription.secret, key: subscription.org },
          { path: `${at}.subscription.activationKey`, secret: subscription.secret, key: subscription.activationKey },
        ]
      : []),
    ...sshKeys.map(({ secret, key }, index) => ({ path: `${at}.sshKeys[${index}]`, secret, key })),
  ]
}

const whole = (path: string, secret: string | undefined): NamedSecret[] =>
  secret === undefined ? [] : [{ path, secret }]
