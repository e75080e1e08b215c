import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { environment } from '../../shared/config.ts'
import { customizeJob } from '../../shared/images/customize-job.ts'
import { type Customized, toCustomized } from '../../shared/images/customized.ts'
import type { Manifest } from '../../shared/kubevirt/manifest.ts'
import type { GuestCustomization } from '../../shared/schema/guest-customization.ts'
import { appliance } from './appliance.ts'

/** The user of a pod that customizes a disk. */
const user = 107

/** What a pod left behind. */
export interface Ended {
  status: number | null
  log: string
  /** The termination message, as text and as it is read. */
  message: string
  outcome: Customized
  disk: string
}

/** As much of a Job as its pod is started from. */
interface Started {
  template: { spec: { containers: [{ env: { name: string; value: string }[] }] } }
}

export interface Pod {
  run(customization: GuestCustomization, secrets: Record<string, Record<string, string>>): Promise<Ended>
  close(): void
}

/** Whether this machine can make a disk a block device; one without loop devices has only files. */
export const hasLoops = spawnSync('losetup', ['--find']).status === 0

/**
 * A pod without a cluster, over a disk of its own: the Job's files and environment, with this machine's paths. A claim that is
 * a device is a loop device over the same file.
 */
export function openPod(base: string | undefined, volumeMode: 'Filesystem' | 'Block' = 'Filesystem'): Pod {
  const folder = mkdtempSync(join(tmpdir(), 'drover-pod-'))
  const disk = join(folder, 'disk.img')
  for (const name of ['files', 'secrets', 'home', 'scratch']) mkdirSync(join(folder, name))
  if (base !== undefined) spawnSync('cp', ['--sparse=always', base, disk])
  const write = (path: string, content: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  return {
    async run(customization, secrets) {
      const [config, job] = customizeJob({ ...claim, volumeMode, customization, sealed: true }) as [Manifest, Manifest]
      for (const [name, content] of Object.entries(config['data'] as Record<string, string>))
        write(`files/${name}`, content)
      for (const [secret, keys] of Object.entries(secrets))
        for (const [key, value] of Object.entries(keys)) write(`secrets/${secret}/${key}`, value)
      write('message', '')
      const device = volumeMode === 'Block' ? losetup('--show', '--find', disk) : undefined
      for (const path of [folder, device ?? disk, ...['home', 'scratch', 'message'].map((name) => join(folder, name))])
        spawnSync('chown', [`${user}:${user}`, path])
      const { env } = (job.spec as Started).template.spec.containers[0]
      const { status, log } = await ended(join(folder, 'files/customize.sh'), {
        ...Object.fromEntries(env.map(({ name, value }) => [name, value])),
        ...appliance,
        CUSTOMIZE_DIR: folder,
        DISK: device ?? disk,
        TERMINATION_LOG: join(folder, 'message'),
        HOME: join(folder, 'home'),
        LIBGUESTFS_TMPDIR: join(folder, 'scratch'),
        // The cluster's image brings its appliance along; here supermin makes one.
        LIBGUESTFS_PATH: undefined,
        PATH: environment()['PATH'],
      })
      if (device !== undefined) losetup('--detach', device)
      const message = readFileSync(join(folder, 'message'), 'utf8')
      return { status, log, message, outcome: toCustomized(message), disk }
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}

const claim = {
  name: 'customize',
  namespace: 'images',
  labels: {},
  podLabels: {},
  claim: 'disk',
  image: 'registry.example.com/libguestfs-tools@sha256:0',
  deadlineSeconds: 600,
} as const

function losetup(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('losetup', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`Cannot make a device: losetup ended with ${status}`, { cause: stderr })
  return stdout.trim()
}

function ended(script: string, env: NodeJS.ProcessEnv): Promise<Pick<Ended, 'status' | 'log'>> {
  const pod = spawn('bash', [script], { env, uid: user, gid: user, stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  for (const stream of [pod.stdout, pod.stderr]) stream.on('data', (data) => (log += data))
  return new Promise((done, failed) => {
    pod.on('error', failed)
    pod.on('close', (status) => done({ status, log }))
  })
}
