import { apiVersionOf, type Kind } from '../kinds.ts'

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

/** Answers the paths by which clients find out what there is, or undefined for other paths. */
export function discover(path: string, kinds: readonly Kind[]): unknown {
  const versions = [...new Set(kinds.map(apiVersionOf))]
  const groups = versions.filter((version) => version.includes('/'))
  if (path === '/version') return { major: '1', minor: '34', gitVersion: 'v1.34.0+simulated', platform: 'linux/amd64' }
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] }
  if (path === '/apis')
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: groupNames(groups).map((name) => groupOf(name, groups)) }
  const groupVersion = path.replace(/^\/apis?\//, '')
  if (versions.includes(groupVersion)) return resources(groupVersion, kinds)
  return groupNames(groups).includes(groupVersion)
    ? { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(groupVersion, groups) }
    : undefined
}

const groupNames = (groups: string[]) => [...new Set(groups.map((group) => group.split('/')[0] ?? ''))]

function groupOf(name: string, groups: string[]) {
  const versions = groups
    .filter((group) => group.startsWith(`${name}/`))
    .map((groupVersion) => ({ groupVersion, version: groupVersion.split('/')[1] ?? '' }))
    .sort((a, b) => (stable(a.version) < stable(b.version) ? -1 : 1))
  return { name, versions, preferredVersion: versions[0] }
}

/** Sorts v1 before v1beta2 before v1alpha1, as the API server prefers them. */
function stable(version: string): string {
  return version
    .replace(/^(v\d+)$/, '0$1')
    .replace(/^v\d+beta/, '1')
    .replace(/^v\d+alpha/, '2')
}

function resources(groupVersion: string, kinds: readonly Kind[]) {
  const rows = kinds.filter((row) => apiVersionOf(row) === groupVersion)
  const resource = ({ plural, singular, namespaced, kind, shortNames, categories }: Kind) => ({
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs,
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
  })
  const status = ({ plural, namespaced, kind }: Kind) => ({
    name: `${plural}/status`,
    singularName: '',
    namespaced,
    kind,
    verbs: ['get', 'patch', 'update'],
  })
  const all = rows.flatMap((row) => (row.status ? [resource(row), status(row)] : [resource(row)]))
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: all }
}
