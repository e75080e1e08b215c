import { existsSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { KubeObject } from '../../local/clusters/object.ts'
import { load } from '../../local/clusters/saved.ts'
import type { Saved, Store } from '../../local/clusters/store.ts'

/**
 * What etcd is to a cluster: each change is on disk before anybody hears of it, so that whoever is killed at any moment
 * finds everything as it was. A cluster as it was saved, and the changes since, a line for each.
 */

interface Line {
  version: number
  gone: boolean
  object: KubeObject
}

interface Followed {
  name: string
  store: Store
}

const longest = 32 * 2 ** 20

const keyOf = ({ kind, metadata: { namespace = '', name } }: KubeObject) => `${kind}/${namespace}/${name}`

/** Brings what was saved up to date by the lines that came after it. */
export function replay(saved: Saved | undefined, lines: readonly Line[]): Saved {
  const objects = new Map((saved?.objects ?? []).map((object) => [keyOf(object), object]))
  let resourceVersion = saved?.resourceVersion ?? 1
  for (const { version, gone, object } of lines) {
    if (version <= resourceVersion) continue
    resourceVersion = version
    if (gone) objects.delete(keyOf(object))
    else objects.set(keyOf(object), object)
  }
  return { resourceVersion, objects: [...objects.values()] }
}

/** Brings the clusters of a folder up to date, and answers how to go on noting what changes. */
export async function openLedgers(directory: string) {
  const files = () => (existsSync(directory) ? readdirSync(directory) : []).filter((file) => file.endsWith('.ledger'))
  const names = new Set(files().map((file) => file.split('.')[0] ?? ''))
  for (const name of names) {
    const own = files().filter((file) => file.startsWith(`${name}.`))
    const lines = own.sort(byNumber).flatMap((file) => linesOf(readFileSync(join(directory, file), 'utf8')))
    const state = replay(await load(directory, name), lines)
    writeFileSync(join(directory, `${name}.json`), JSON.stringify(state))
  }
  let number = Math.max(0, ...files().map(numberOf))
  let written = 0
  let stop: (() => void)[] = []

  return {
    isLong: () => written > longest,
    /** Begins a new ledger of each cluster, has all saved, and lets go of the ledgers before. */
    async follow(clusters: readonly Followed[], save: () => Promise<void>): Promise<void> {
      const before = files()
      number += 1
      written = 0
      const next = clusters.map(({ name, store }) => {
        const file = openSync(join(directory, `${name}.${number}.ledger`), 'a')
        return store.subscribe(({ type, object, version }) => {
          const line: Line = { version, gone: type === 'DELETED', object }
          written += writeSync(file, `${JSON.stringify(line)}\n`)
        })
      })
      for (const end of stop) end()
      stop = next
      await save()
      for (const file of before) rmSync(join(directory, file), { force: true })
    },
  }
}

const numberOf = (file: string) => Number(file.split('.')[1])
const byNumber = (one: string, other: string) => numberOf(one) - numberOf(other)

/** The last line may have been cut off. */
function linesOf(text: string): Line[] {
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as Line]
    } catch {
      return []
    }
  })
}
