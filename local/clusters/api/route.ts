import type { Kind } from '../kinds.ts'

/** What a request is about: a kind's collection, one object of it, or a subresource of one. */
export interface Target {
  kind: Kind
  /** Undefined means all namespaces; for kinds without namespaces it is empty. */
  namespace: string | undefined
  name: string | undefined
  subresource: string | undefined
}

/** Finds what a path names among the kinds of a cluster; undefined for a path that names nothing. */
export function routeOf(path: string, kinds: readonly Kind[]): Target | undefined {
  const [root, ...rest] = path.split('/').slice(1).map(decoded)
  if (root !== 'api' && root !== 'apis') return undefined
  const [group, version, ...tail] = root === 'api' ? ['', ...rest] : rest
  const find = (plural: string | undefined) =>
    kinds.find((row) => row.plural === plural && row.group === group && row.version === version)
  if (tail[0] === 'namespaces' && tail.length > 2) {
    const kind = find(tail[2])
    if (kind?.namespaced) return known({ kind, namespace: tail[1], name: tail[3], subresource: tail[4] })
  }
  const kind = find(tail[0])
  if (!kind) return undefined
  return known({ kind, namespace: kind.namespaced ? undefined : '', name: tail[1], subresource: tail[2] })
}

/** Status is the only subresource there is, for kinds that have it. */
function known(target: Target): Target | undefined {
  const { kind, subresource } = target
  return subresource === undefined || (subresource === 'status' && kind.status) ? target : undefined
}

/** A part of a path; one that is not encoded as it should be names nothing. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return ''
  }
}
