import { mkdtempSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Files as the kubelet mounts them from a Secret: links into a folder that another one takes the place of, all at once. */
export interface Mount {
  path(name: string): string
  /** What the Secret holds from now on. */
  write(files: Record<string, string>): void
}

/** Mounts a Secret below a folder. Its files are open to the group, as with fsGroup. */
export function mountSecret(parent: string, files: Record<string, string>): Mount {
  const directory = mkdtempSync(join(parent, 'secret-'))
  const write = (now: Record<string, string>) => {
    const data = mkdtempSync(join(directory, '..data-'))
    for (const [name, text] of Object.entries(now)) writeFileSync(join(data, name), text, { mode: 0o440 })
    symlinkSync(data, join(directory, '..data_tmp'))
    renameSync(join(directory, '..data_tmp'), join(directory, '..data'))
  }
  write(files)
  for (const name of Object.keys(files)) symlinkSync(join('..data', name), join(directory, name))
  return { path: (name) => join(directory, name), write }
}
