import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { constants, copyFileSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { buildBundle, buildPushBundle } from '../../scripts/build.ts'
import { compileBundle } from '../../scripts/compile.ts'

/**
 * Containers without an engine: Linux namespaces over a folder that holds what the image does and nothing else. Of programs
 * that is Node and git; there is no shell, and no entry for the user.
 */

/** What every container has of /dev. */
export const devices = ['null', 'zero', 'full', 'random', 'urandom'].map((name) => `dev/${name}`)

/** What the Containerfile says of how the image is run. */
export interface Image {
  root: string
  workingDirectory: string
  command: string[]
}

/** Why no container can be started here; undefined where one can. */
export function whyNoContainers(): string | undefined {
  if (process.platform !== 'linux') return 'it takes Linux namespaces'
  if (process.getuid?.() !== 0) return 'it takes root to make a read-only root file system'
  const tried = spawnSync('unshare', ['--mount', '--pid', '--fork', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'])
  return tried.status === 0 ? undefined : `this machine makes no namespaces: ${tried.error ?? tried.stderr}`
}

/** What a build writes into the folder that the Containerfile copies. */
const bundles: Record<string, (file: string) => Promise<void>> = {
  'drover.cjs': async (file) => {
    await buildBundle(file)
    await compileBundle(file)
  },
  'push-disk.cjs': buildPushBundle,
}

/** Makes an image in the folder, with the bundles where the Containerfile copies them to. */
export async function makeImage(root: string, containerfile: string): Promise<Image> {
  const said = (pattern: RegExp) => {
    const [, found] = pattern.exec(readFileSync(containerfile, 'utf8')) ?? []
    if (!found) throw new Error(`Cannot make the image: ${containerfile} does not say ${pattern}`)
    return found
  }
  const copied = said(/^COPY --from=build (\S+) \1$/m)
  const workingDirectory = said(/^WORKDIR (\S+)$/m)
  const command = JSON.parse(said(/^CMD (\[.*\])$/m)) as string[]
  for (const folder of ['proc', 'dev', 'tmp', 'etc/drover']) mkdirSync(join(root, folder), { recursive: true })
  for (const device of devices) writeFileSync(join(root, device), '')
  const git = execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim()
  copyProgram(process.execPath, join(root, 'usr/bin/node'))
  copyProgram(join(git, 'git'), join(root, 'usr/bin/git'))
  for (const helper of ['git-remote-http', 'git-remote-https']) copyProgram(join(git, helper), join(root, git, helper))
  for (const [name, build] of Object.entries(bundles)) await build(join(root, copied, name))
  return { root, workingDirectory, command }

  /** The program, and the libraries that it is linked with at their places. */
  function copyProgram(from: string, to: string): void {
    const libraries = execFileSync('ldd', [from], { encoding: 'utf8' })
    for (const [, library = ''] of libraries.matchAll(/(?:=> |^\s+)(\/\S+) \(/gm)) copy(library, join(root, library))
    copy(from, to)
  }
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(realpathSync(from), to, constants.COPYFILE_FICLONE)
}

export interface ContainerConfig {
  /** All of its environment. */
  env: Record<string, string>
  /** What is mounted, by its path: a folder to be read, or memory to be written. */
  mounts: Record<string, { folder: string } | 'memory'>
  /** Never root's; the group is root's, as OpenShift has it. */
  user: number
}

export interface Container {
  /** Its first process, as this machine numbers it. */
  pid(): number
  child: ChildProcess
  /** What it said on both its outputs. */
  said(): string
}

/** Starts the image's command as a container's first process. Everything in it ends when that does. */
export function startContainer(image: Image, { env, mounts, user }: ContainerConfig): Container {
  const { root, workingDirectory, command } = image
  const mountAll = Object.entries(mounts).map(([path, what]) =>
    what === 'memory'
      ? `mount -t tmpfs -o mode=1777,size=256m tmpfs ${root}${path}`
      : `mount --bind ${what.folder} ${root}${path} && mount -o remount,bind,ro ${root}${path}`,
  )
  const script = [
    'set -e',
    `mount --bind ${root} ${root}`,
    `mount -t proc proc ${root}/proc`,
    ...devices.map((device) => `mount --bind /${device} ${root}/${device}`),
    ...mountAll,
    `mount -o remount,bind,ro ${root}`,
    `exec setpriv --no-new-privs unshare --root=${root} --wd=${workingDirectory} --setgid=0 --setuid=${user} -- "$@"`,
  ].join('\n')
  const namespaces = ['--mount', '--pid', '--ipc', '--uts', '--fork', '--kill-child']
  const child = spawn('/usr/bin/unshare', [...namespaces, '/bin/sh', '-c', script, 'sh', ...command], {
    env: { PATH: '/usr/bin:/bin', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      said += chunk
    })
  return {
    child,
    said: () => said,
    pid: () => Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim()),
  }
}

/** Tells a container's first process to end, as a node would, and answers its exit code. */
export async function stopContainer({ child, pid }: Container): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode
  const exit = once(child, 'exit')
  process.kill(pid(), 'SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
  const [code] = (await exit) as [number | null]
  clearTimeout(timer)
  return code
}
