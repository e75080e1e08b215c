import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Git holds a lock for as long as it writes one small file. */
const longestHeld = 500

/**
 * Removes the locks that git left when it was killed: it would refuse every push from then on, until a person takes them away. Only
 * for whoever is about to serve the repository alone: one that somebody still holds goes by itself within moments.
 */
export async function removeLeftLocks(repository: string): Promise<void> {
  const before = await locksIn(repository)
  if (before.size === 0) return
  await sleep(longestHeld)
  for (const [path, made] of await locksIn(repository)) if (before.get(path) === made) await rm(path, { force: true })
}

/** Each lock on HEAD, the settings and the branches, with what tells it from a later one of the same name. */
async function locksIn(repository: string): Promise<Map<string, string>> {
  const branches = await readdir(join(repository, 'refs'), { recursive: true })
  const files = [...(await readdir(repository)), ...branches.map((name) => join('refs', name))]
  const found = new Map<string, string>()
  for (const file of files.filter((name) => name.endsWith('.lock'))) {
    const path = join(repository, file)
    const { ino, mtimeMs } = (await stat(path).catch(() => undefined)) ?? {}
    if (ino !== undefined) found.set(path, `${ino} ${mtimeMs}`)
  }
  return found
}
