import { readFileSync } from 'node:fs'
import { keepSecret } from './secrets.ts'
import type { SigningKey } from './signature.ts'

/**
 * The signing keys as they are now. Keys rotate while functions run, so they are asked for at each event; what is wrong
 * with them is told to `complain`, and the last good ones hold.
 */
export type Keyring = (complain: (sentence: string) => void) => readonly SigningKey[]

/** How long a file of keys is not read again, in milliseconds. */
const freshFor = 2_000

/** Reads keys written as `id:secret` words; no sentence about them repeats one. */
export function parseKeys(text: string): { keys: SigningKey[]; problems: string[] } {
  const keys = text
    .split(/[\s,]+/)
    .filter((word) => word !== '')
    .map((word) => ({ id: word.split(':')[0] ?? '', secret: word.split(':').slice(1).join(':') }))
  for (const { secret } of keys) keepSecret(secret)
  const isBad = ({ id, secret }: SigningKey) => !/^[a-z0-9]{1,16}$/.test(id) || secret.length < 16
  const wanted = 'an id of letters and digits and a secret of at least 16 characters'
  return {
    keys,
    problems: [
      ...(keys.some(isBad) ? [`holds a bad key, wanted "id:secret" with ${wanted}`] : []),
      ...(new Set(keys.map(({ id }) => id)).size < keys.length ? ['holds two keys of one id'] : []),
    ],
  }
}

/** Keys that stay as they are. */
export const fixedKeys =
  (keys: readonly SigningKey[]): Keyring =>
  () =>
    keys

/** Keys in a file, such as a mounted Secret: what is written there is taken up within seconds. */
export function keysIn(
  file: string,
  first: readonly SigningKey[],
  clock: () => number = performance.now.bind(performance),
): Keyring {
  let good = first
  let said = ''
  let readAt = clock()
  return (complain) => {
    if (clock() - readAt < freshFor) return good
    readAt = clock()
    const { keys, problems } = read(file)
    const problem = problems.join('; ')
    if (problem === '') good = keys
    // Once for each fault, not at each event.
    else if (problem !== said) complain(`Cannot take up new signing keys, the last good ones hold: the file ${problem}`)
    said = problem
    return good
  }
}

function read(file: string): ReturnType<typeof parseKeys> {
  try {
    const read = parseKeys(readFileSync(file, 'utf8'))
    return read.keys.length > 0 ? read : { keys: [], problems: ['is empty'] }
  } catch {
    return { keys: [], problems: ['cannot be read'] }
  }
}
