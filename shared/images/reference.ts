import { DroverError } from '../errors.ts'

/** A repository of a registry: `registry.example.com:5000/golden/rhel9` is the path `golden/rhel9` of that host. */
export interface Repository {
  host: string
  path: string
}

/** What makes up names, by the OCI distribution specification; https://github.com/distribution/reference has the hosts. */
const label = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?'
const host = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[0-9a-f:.]+\\])(?::[0-9]{1,5})?$`)
const component = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/
const tagName = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/

/** Reads a repository that says its host. There is no usual registry: a golden image must not end up in somebody else's. */
export function parseRepository(text: string): Repository {
  const [first = '', ...rest] = text.split('/')
  const wrong = faultOf(text, first, rest)
  if (wrong !== undefined)
    throw new DroverError('refused', `Cannot push to repository ${JSON.stringify(text)}: ${wrong}`)
  return { host: first, path: rest.join('/') }
}

function faultOf(text: string, first: string, rest: string[]): string | undefined {
  if (text.length > 255) return `it has ${text.length} characters, wanted at most 255`
  if (rest.length === 0) return 'it has no path, wanted a host and a path such as registry.example.com/golden/rhel9'
  if (!/[.:]/.test(first) && first !== 'localhost')
    return `it begins with "${first}", wanted the registry's host with its domain or port`
  if (!host.test(first)) return `"${first}" is not a host, wanted small letters, digits, "-" and "."`
  const bad = rest.find((one) => !component.test(one))
  if (bad !== undefined)
    return `"${bad}" is not a part of a path, wanted small letters and digits with ".", "_" or "-" between`
  return undefined
}

/** Answers the tag if it is one. */
export function parseTag(text: string): string {
  if (tagName.test(text)) return text
  throw new DroverError(
    'refused',
    `Cannot push tag ${JSON.stringify(text)}: it is not a tag, wanted up to 128 letters, digits, "_", "." and "-"`,
  )
}
