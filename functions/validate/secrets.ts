import { namedSecrets, whoseSecret } from '../../shared/named-secrets.ts'
import type { ImageRequest } from '../../shared/schema/requests.ts'
import { show } from '../../shared/schema/show.ts'
import { twice } from '../../shared/twice.ts'

/** Secrets that nobody may name, or have made, whatever policy says: a machine's own are in the same namespace. */
export function secretProblems(request: Parameters<typeof namedSecrets>[0] & Partial<Pick<ImageRequest, 'secrets'>>) {
  const made = (request.secrets ?? []).map(({ name }) => name)
  return [
    ...twice(made).map((name) => `secrets has ${show(name)} twice, wanted each name once`),
    ...made.flatMap((name) => sentence('secrets has', name)),
    ...namedSecrets(request).flatMap(({ path, secret }) => sentence(`${path} names the Secret`, secret)),
  ]
}

function sentence(what: string, name: string): string[] {
  const whose = whoseSecret(name)
  return whose === undefined ? [] : [`${what} ${show(name)}, wanted another ending: that one is ${whose}`]
}
