import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { isFile, isFolder, parseTree } from '../../../shared/clients/git/tree.ts'

interface Found {
  oid: string
  type: string
  body: Buffer
}

export interface Blob {
  path: string
  oid: string
}

/** Reads a bare repository on disk through one long-lived `git cat-file --batch`. */
export class GitReader {
  readonly #path: string
  #child: ChildProcessWithoutNullStreams | undefined
  #buffer = Buffer.alloc(0)
  #waiting: { resolve(found: Found | undefined): void; reject(error: Error): void }[] = []

  constructor(path: string) {
    this.#path = path
  }

  /** The commit that a branch, a tag or a commit id means now; undefined when there is none. */
  async commit(revision: string): Promise<string | undefined> {
    return (await this.#read(`${revision}^{commit}`))?.oid
  }

  /** The tree at a path of a commit; undefined when there is none. */
  async tree(commit: string, path: string): Promise<string | undefined> {
    const found = await this.#read(`${commit}:${path}`)
    return found?.type === 'tree' ? found.oid : undefined
  }

  /** The files of a tree, with those of its folders where wanted. */
  async files(tree: string, recurse: boolean, prefix = ''): Promise<Blob[]> {
    const blobs: Blob[] = []
    for (const entry of parseTree((await this.#read(tree))?.body ?? Buffer.alloc(0))) {
      const { name, oid } = entry
      if (isFolder(entry)) blobs.push(...(recurse ? await this.files(oid, recurse, `${prefix}${name}/`) : []))
      else if (isFile(entry)) blobs.push({ path: prefix + name, oid })
    }
    return blobs
  }

  async text(oid: string): Promise<string> {
    return (await this.#read(oid))?.body.toString() ?? ''
  }

  close(): void {
    this.#child?.kill()
    this.#fail(new Error('Cannot read the repository: the clusters are closed'))
  }

  #read(name: string): Promise<Found | undefined> {
    if (/[\r\n]/.test(name)) return Promise.resolve(undefined)
    this.#child ??= this.#start()
    const { stdin } = this.#child
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      stdin.write(`${name}\n`)
    })
  }

  #start(): ChildProcessWithoutNullStreams {
    const child = spawn('git', ['-c', 'safe.directory=*', '--git-dir', this.#path, 'cat-file', '--batch'], {
      stdio: 'pipe',
    })
    this.#buffer = Buffer.alloc(0)
    child.stdout.on('data', (chunk: Buffer) => this.#take(chunk))
    child.stdin.on('error', () => undefined) // the exit below says more
    child.stderr.resume()
    const ended = () => {
      if (this.#child !== child) return
      this.#child = undefined
      this.#fail(new Error(`Cannot read the repository ${this.#path}: git cat-file ended`))
    }
    child.on('error', ended).on('exit', ended)
    return child
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }

  #take(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk])
    for (;;) {
      const line = this.#buffer.indexOf(10)
      if (line < 0) return
      const [oid = '', type = '', size] = this.#buffer.toString('utf8', 0, line).split(' ')
      const length = size === undefined || type === 'missing' ? -1 : Number(size)
      const end = length < 0 ? line + 1 : line + 1 + length + 1
      if (this.#buffer.length < end) return
      const body = this.#buffer.subarray(line + 1, Math.max(line + 1, end - 1))
      this.#buffer = this.#buffer.subarray(end)
      this.#waiting.shift()?.resolve(length < 0 || Number.isNaN(length) ? undefined : { oid, type, body })
    }
  }
}
