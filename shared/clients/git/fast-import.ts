import { oneLine } from './message.ts'
import type { Written } from './overlay.ts'

/** One commit to be written, on top of the one before it. */
export interface NewCommit {
  message: string
  changes: ReadonlyMap<string, Written | null>
}

export interface Signature {
  name: string
  email: string
}

/** Where the commits are kept locally until the server has them. */
export const PENDING = 'refs/drover/pending'

/** What `git fast-import` has to be told to write the commits; it answers with the id of each, one a line. */
export function toImportStream(
  commits: readonly NewCommit[],
  base: string | undefined,
  author: Signature,
  seconds: number,
): string {
  const parts = ['feature done\n']
  for (const [index, { message, changes }] of commits.entries()) {
    const mark = index + 1
    parts.push(`commit ${PENDING}\nmark :${mark}\n`)
    parts.push(`author ${toIdent(author)} ${seconds} +0000\ncommitter ${toIdent(author)} ${seconds} +0000\n`)
    parts.push(data(message))
    if (index > 0) parts.push(`from :${index}\n`)
    else if (base !== undefined) parts.push(`from ${base}\n`)
    parts.push(...toFileCommands(changes), `\nget-mark :${mark}\n`)
  }
  return `${parts.join('')}done\n`
}

function toFileCommands(changes: NewCommit['changes']): string[] {
  const removals = [...changes].flatMap(([path, written]) => (written ? [] : [`D ${quote(path)}\n`]))
  const writes = [...changes].flatMap(([path, written]) =>
    written ? [`M ${written.mode} inline ${quote(path)}\n`, data(written.content)] : [],
  )
  return [...removals, ...writes]
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`
}

function quote(path: string): string {
  return `"${path.replace(/["\\]/g, '\\$&')}"`
}

function toIdent({ name, email }: Signature): string {
  const plain = (text: string) => oneLine(text).replace(/[<>]/g, '')
  return `${plain(name)} <${plain(email)}>`
}
