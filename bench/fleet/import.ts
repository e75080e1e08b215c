import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Files } from './make.ts'

/** One commit as `git fast-import` takes it, on top of what the branch has. */
export interface Imported {
  message: string
  files: Iterable<Files>
  /** Where the branch is; without it the commit is the branch's first. */
  from?: string
}

const batch = 1 << 20

/** Feeds commits to `git fast-import` in a repository, as fast as it takes them. */
export async function fastImport(
  repository: string,
  commits: Iterable<Imported>,
  env: Record<string, string>,
  branch = 'refs/heads/main',
): Promise<void> {
  const args = [`--git-dir=${repository}`, '-c', 'core.compression=1', 'fast-import', '--quiet', '--date-format=now']
  const child = spawn('git', args, { env, stdio: ['pipe', 'ignore', 'inherit'] })
  const closed = once(child, 'close')
  child.stdin.on('error', () => undefined)
  let text = ''
  for (const commit of commits) {
    text += headOf(commit, branch)
    for (const files of commit.files) {
      for (const [path, content] of Object.entries(files)) {
        text += `M 100644 inline ${path}\ndata ${Buffer.byteLength(content)}\n${content}\n`
      }
      if (text.length < batch) continue
      if (!child.stdin.write(text)) await once(child.stdin, 'drain')
      text = ''
    }
  }
  child.stdin.end(text)
  const [code] = await closed
  if (code !== 0) throw new Error(`Cannot import into ${repository}: git fast-import ended with ${code}`)
}

function headOf({ message, from }: Imported, branch: string): string {
  const ident = 'Drover <drover@example.com> now'
  const parent = from === undefined ? '' : `from ${from}\n`
  return `commit ${branch}\nauthor ${ident}\ncommitter ${ident}\ndata ${Buffer.byteLength(message)}\n${message}\n${parent}`
}
