import { isInside } from './inside.ts'

// The globs of policies, in which `*` stands for anything: of words, and of addresses, whose hosts are not opened by chance.

/** Whether a word fits one of some globs. */
export function matchesAny(globs: readonly string[], word: string): boolean {
  return globs.some((glob) => matches(glob, word))
}

/** The same of addresses: a `*` for the host ends with the host, or any path of any host could pass for it. */
export function matchesPlace(globs: readonly string[], word: string): boolean {
  const [host, path] = split(word)
  return naming(globs, hostOf(word))
    .map(split)
    .some(([one, rest]) => matches(one, host) && matches(rest, path))
}

/** The globs that may open a host: what lies inside a network is named in full, so that no `*` reaches it by chance. */
export const naming = (globs: readonly string[], host: string) =>
  isInside(host) ? globs.filter((glob) => !/\*/.test(hostOf(glob).replace(/:[^:\]]*$/, ''))) : globs

/** The host of an address, without its scheme. */
export const hostOf = (address: string) => split(address)[0].replace(/^[a-z]+:\/\//, '')

/** What is before and behind the end of the host. */
function split(text: string): [host: string, path: string] {
  const from = text.indexOf('://')
  const at = text.indexOf('/', from < 0 ? 0 : from + 3)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at)]
}

/** Whether a word fits a glob in which `*` stands for anything; never a regular expression made of somebody's text. */
export function matches(glob: string, word: string): boolean {
  const [head = '', ...rest] = glob.split('*')
  const tail = rest.pop()
  if (tail === undefined) return glob === word
  if (!word.startsWith(head) || word.length < head.length + tail.length || !word.endsWith(tail)) return false
  let at = head.length
  const end = word.length - tail.length
  for (const part of rest) {
    const found = word.indexOf(part, at)
    if (found < 0 || found + part.length > end) return false
    at = found + part.length
  }
  return true
}
