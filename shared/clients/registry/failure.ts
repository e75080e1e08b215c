import { DroverError } from '../../errors.ts'
import type { Answer } from './exchange.ts'

/**
 * What went wrong between us and a registry, as a sentence. Of what others say only what cannot hold a secret gets into it: a status,
 * a code from a list or of capital letters. `busy` is what may pass.
 */

/** The failure of a request that got no answer. */
export function unanswered(where: string, error: unknown): DroverError {
  const causes = chain(error)
  // Such as the disk's: a request also fails because what it was to send cannot be read.
  const own = causes.find((one) => one instanceof DroverError)
  if (own) return own
  const code = causes.map((one) => (one as { code?: unknown }).code).find((one) => typeof one === 'string')
  if (code !== undefined && distrusted.test(code))
    return new DroverError(
      'refused',
      `Cannot push to ${where}: its certificate is not to be trusted (${code}); name a ConfigMap with the authority that issued it`,
    )
  if (code !== undefined && otherwise.test(code))
    return new DroverError(
      'refused',
      `Cannot push to ${where}: it does not speak as it is spoken to (${code}); look whether it wants http or https`,
    )
  return new DroverError('busy', `Cannot reach ${where}: ${code ?? 'it gave no answer in time'}`)
}

const distrusted = /^(CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_CERT|INVALID_CA|HOSTNAME_MISMATCH)/
/** What a server of http says to TLS, and the other way round. */
const otherwise = /^(ERR_SSL_|EPROTO$|HPE_)/

function chain(error: unknown): unknown[] {
  const causes: unknown[] = []
  for (let one = error; one instanceof Error && !causes.includes(one); one = one.cause) causes.push(one)
  return causes
}

/** The failure of a request whose answer was another than wanted. */
export function unwanted(where: string, what: string, { status, text }: Answer): DroverError {
  const code = codeOf(text)
  const advice = advices[code ?? ''] ?? advices[status]
  const mayPass = status >= 500 || status === 429 || status === 408
  const said = `it answered ${status}${code === undefined ? '' : ` (${code})`} to ${what}`
  return new DroverError(mayPass ? 'busy' : 'refused', `Cannot push to ${where}: ${said}${advice ? `; ${advice}` : ''}`)
}

const advices: Record<string | number, string> = {
  401: 'look whether user name and password in the Secret are right, and not expired',
  403: 'the account needs the right to push to this repository',
  413: 'something before the registry limits how much may be sent at once',
  NAME_UNKNOWN: 'this registry wants the repository to be made beforehand',
}

/** The code of the first error, as the OCI distribution specification has it. */
function codeOf(text: string): string | undefined {
  try {
    const { errors } = JSON.parse(text) as { errors?: { code?: unknown }[] }
    const code = errors?.[0]?.code
    return typeof code === 'string' && /^[A-Z_]{1,40}$/.test(code) ? code : undefined
  } catch {
    return undefined
  }
}
