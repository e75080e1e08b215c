import { type Answer, known, map } from './answer.ts'
import type { Asker } from './ask.ts'
import { advice, cannotTell, type Finding, lacks, ok } from './finding.ts'

/** A kind that Drover uses, at the version that it uses. */
export interface Kind {
  group: string
  version: string
  plural: string
  /** For a kind that Drover can do without: what it then goes without, and what to do about it. */
  optional?: { without: string; todo: string }
}

/** What a cluster serves of one kind. */
export interface Served {
  kind: Kind
  isServed: Answer<boolean>
  /** In which versions it serves the group. */
  versions: string[]
}

/** Asks by discovery, which every account may read. */
export async function readServed(ask: Asker, kinds: readonly Kind[]): Promise<Served[]> {
  return Promise.all(
    kinds.map(async (kind) => {
      const path = `/apis/${kind.group}`
      const [group, resources] = await Promise.all([
        ask.get<{ versions: { version: string }[] }>(path),
        ask.get<{ resources: { name: string }[] }>(`${path}/${kind.version}`),
      ])
      return {
        kind,
        isServed: map(resources, (list) => list.resources.some(({ name }) => name === kind.plural)),
        versions: known(group)?.versions.map(({ version }) => version) ?? [],
      }
    }),
  )
}

/** One finding for all kinds that are there, one for all that are lacking, and one for each that can be done without. */
export function checkServed(served: readonly Served[], todo: string): Finding[] {
  const hidden = served.find(({ isServed }) => isServed.state === 'hidden')
  if (hidden?.isServed.state === 'hidden')
    return [cannotTell(`Which kinds it serves is not said: ${hidden.isServed.why}`, todo)]
  const isThere = ({ isServed }: Served) => known(isServed) === true
  const there = served.filter(isThere)
  const absent = served.filter((one) => !isThere(one))
  const needed = absent.filter(({ kind }) => kind.optional === undefined)
  return [
    ...(there.length > 0 ? [ok(`It serves ${there.map(({ kind }) => nameOf(kind)).join(', ')}`)] : []),
    ...(needed.length > 0 ? [lacks(`It does not serve ${needed.map(described).join(', ')}`, todo)] : []),
    ...(isInstalled(served) ? absent.flatMap(advised) : []),
  ]
}

/** Whether there is anything of what is asked for that Drover cannot do without. */
export const isInstalled = (served: readonly Served[]): boolean =>
  served.some(({ kind, isServed }) => kind.optional === undefined && known(isServed) === true)

const nameOf = ({ plural, group, version }: Kind) => `${plural}.${group}/${version}`

function described({ kind, versions }: Served): string {
  const others = versions.filter((version) => version !== kind.version)
  return others.length === 0 ? nameOf(kind) : `${nameOf(kind)} (but ${others.join(' and ')})`
}

function advised(served: Served): Finding[] {
  const { optional } = served.kind
  if (optional === undefined) return []
  return [advice(`It does not serve ${described(served)}: ${optional.without}`, optional.todo)]
}
