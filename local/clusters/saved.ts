import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Saved } from './store.ts'

const fileOf = (directory: string, cluster: string) => join(directory, `${cluster}.json`)

/** What a cluster was when it was last saved in a directory; undefined when it never was. */
export async function load(directory: string, cluster: string): Promise<Saved | undefined> {
  let text: string
  try {
    text = await readFile(fileOf(directory, cluster), 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  try {
    const saved: Saved = JSON.parse(text)
    return saved
  } catch (cause) {
    throw new Error(
      `Cannot load cluster ${cluster}: ${fileOf(directory, cluster)} is no JSON; remove it to begin anew`,
      { cause },
    )
  }
}

/** Saves a cluster; a crash meanwhile leaves the older state whole. */
export async function save(directory: string, cluster: string, state: Saved): Promise<void> {
  await mkdir(directory, { recursive: true })
  const file = fileOf(directory, cluster)
  await writeFile(`${file}.new`, JSON.stringify(state), { mode: 0o600 })
  await rename(`${file}.new`, file)
}
