import { isDeepStrictEqual } from 'node:util'
import { isDict, valueAt } from '../../shared/dict.ts'
import type { Change, Tree } from '../../shared/fleet.ts'
import { canonical } from '../../shared/quantity.ts'
import { parseYaml } from '../../shared/yaml.ts'

/** Kinds that hold nothing and do nothing by themselves: they may come, go and be made anew. */
const replaceable = ['Role', 'RoleBinding', 'Secret', 'ExternalSecret', 'ConfigMap', 'DNSEndpoint', 'DataImportCron']

const identity = [['kind'], ['metadata', 'name'], ['metadata', 'namespace']]
const syncOptions = ['metadata', 'annotations', 'argocd.argoproj.io/sync-options']
const inGuest = ['spec', 'template', 'spec']

/** Of a kind: what no version renders otherwise. The API refuses to change it, or it would be another machine, or in another state. */
const immutable: Record<string, string[][]> = {
  RoleBinding: [['roleRef']],
  Secret: [['type']],
  VirtualMachine: [
    ['spec', 'runStrategy'],
    ['spec', 'instancetype'],
    ['spec', 'preference'],
    [...inGuest, 'volumes'],
    [...inGuest, 'networks'],
    [...inGuest, 'domain', 'cpu'],
    [...inGuest, 'domain', 'memory'],
    [...inGuest, 'domain', 'firmware'],
    [...inGuest, 'domain', 'devices', 'interfaces'],
  ],
}

/** Of all others, disks and snapshots among them, only labels and annotations. */
const ofOthers = [['apiVersion'], ['spec'], syncOptions]

/**
 * Why a manifest is for a person and not to be rendered anew: it would make a disk or a machine anew, take one away, or do once
 * more what has been done.
 */
export async function immutableProblems(tree: Tree, { path, content }: Change): Promise<string[]> {
  const before = await tree.read(path)
  const [was, is] = [objectIn(before, path), objectIn(content ?? undefined, path)]
  if (before !== undefined && was === undefined) return [`${path} holds no Kubernetes object, or several`]
  const kind = String(valueAt(is ?? was, ['kind']))
  const isReplaceable = replaceable.includes(kind)
  if (!is && !isReplaceable)
    return [`${path} is there, and no definition renders to it: to take a ${kind} away is for you to decide`]
  if (!was && !isReplaceable)
    return [`${path} is not there: bring it back from the history of Git, for to make a ${kind} anew is no repair`]
  if (!is || !was) return []
  const fields = [...identity, ...(immutable[kind] ?? (isReplaceable ? [] : ofOthers))]
  const other = fields.filter((field) => !isDeepStrictEqual(valueAt(was, field), valueAt(is, field)))
  if (other.length > 0)
    return [
      `${path} is a ${kind} with another ${other.map((field) => field.join('.')).join(', ')} than its definition says`,
    ]
  const isMadeAnew = !isReplaceable && String(valueAt(is, syncOptions)).includes('Force=true')
  return isMadeAnew ? [`${path} would be deleted and made anew by Argo CD`] : []
}

function objectIn(text: string | undefined, path: string): unknown {
  if (text === undefined) return undefined
  try {
    const object = parseYaml(text, path)
    return isDict(object) && typeof object['kind'] === 'string' ? inOneUnit(object) : undefined
  } catch {
    return undefined
  }
}

/** Versions before wrote a size as it was asked for: "4096Mi" for "4Gi". */
const inOneUnit = (object: object): unknown =>
  JSON.parse(JSON.stringify(object), (_, value) => (typeof value === 'string' ? canonical(value) : value))
