import { type ChildProcess, spawn } from 'node:child_process'
import { Readable } from 'node:stream'
import { DroverError } from '../../errors.ts'

export interface GitCall {
  /** The bare repository that the command works on. */
  directory: string
  args: readonly string[]
  env: Record<string, string>
  /** After so many milliseconds the command is ended. */
  timeout: number
  input?: string | Readable
  /** Ends the command early, when the client is closed. */
  signal: AbortSignal
}

export interface GitResult {
  /** Undefined when the command was ended before it could answer. */
  code: number | undefined
  timedOut: boolean
  stdout: string
  stderr: string
}

const GRACE = 1_000

/** Runs one git command to its end, without a shell; throws only when git cannot be started at all. */
export async function runGit(call: GitCall): Promise<GitResult> {
  call.signal.throwIfAborted()
  const child = startGit(call)
  let timedOut = false
  const stop = () => endGit(child)
  const timer = setTimeout(() => {
    timedOut = true
    stop()
  }, call.timeout)
  call.signal.addEventListener('abort', stop, { once: true })
  try {
    const [code, stdout, stderr] = await Promise.all([
      exitOf(child),
      textOf(child.stdout),
      textOf(child.stderr),
      feed(child, call.input),
    ])
    return { code, timedOut, stdout, stderr }
  } finally {
    clearTimeout(timer)
    call.signal.removeEventListener('abort', stop)
  }
}

/** Starts git on a bare repository, in a process group of its own: its helpers (transport, packer) end with it. */
export function startGit({ directory, args, env }: Pick<GitCall, 'directory' | 'args' | 'env'>): ChildProcess {
  return spawn('git', [`--git-dir=${directory}`, ...args], {
    cwd: '/',
    env,
    detached: true,
    stdio: 'pipe',
    shell: false,
  })
}

/** Asks the command and its helpers to end, which removes their lock files; insists when they do not. */
export function endGit(child: ChildProcess): void {
  signalGroup(child, 'SIGTERM')
  setTimeout(() => signalGroup(child, 'SIGKILL'), GRACE).unref()
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // The group has ended already.
  }
}

function exitOf(child: ChildProcess): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) =>
      reject(new DroverError('broken', 'Cannot run git: it could not be started', { cause })),
    )
    child.once('close', (code) => resolve(code ?? undefined))
  })
}

async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream ?? []) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}

async function feed({ stdin }: ChildProcess, input: GitCall['input']): Promise<void> {
  // A command that ends before it has read everything says why by its exit code.
  stdin?.on('error', () => undefined)
  if (stdin && input instanceof Readable) input.pipe(stdin)
  else stdin?.end(input)
}
