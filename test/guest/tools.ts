import { spawnSync } from 'node:child_process'

/** Debian's packages of the tools, each with a program that only it brings. */
const packages = {
  'guestfs-tools': 'virt-customize',
  supermin: 'supermin',
  'qemu-system-x86': 'qemu-system-x86_64',
  'qemu-utils': 'qemu-img',
  debootstrap: 'debootstrap',
  'cloud-init': 'cloud-init',
  e2fsprogs: 'debugfs',
}
/** What the tools need and do not depend on: a kernel for the appliance. */
const besides = ['libguestfs0', 'linux-image-amd64']

/** Installs what is missing of the tools, or throws a sentence that says why it cannot. */
export function takeTools(): void {
  const missing = Object.entries(packages).filter(([, program]) => !isThere(program))
  if (missing.length > 0) install([...missing.map(([name]) => name), ...besides])
  if (!canRun('sh', ['-c', 'ls /boot/vmlinuz-*'])) install(besides)
  const still = Object.values(packages).filter((program) => !isThere(program))
  if (still.length > 0) throw new Error(`Cannot try guests: apt-get installed no ${still.join(', no ')}`)
}

function install(names: string[]): void {
  const wanted = `wanted the Debian packages ${names.join(', ')}`
  if (process.getuid?.() !== 0 || !isThere('apt-get'))
    throw new Error(`Cannot try guests: tools are missing, and only root with apt-get can install them; ${wanted}`)
  const apt = (...args: string[]) => {
    const { status } = spawnSync(
      'env',
      ['DEBIAN_FRONTEND=noninteractive', 'apt-get', '-oDPkg::Lock::Timeout=300', ...args],
      { stdio: 'inherit' },
    )
    if (status !== 0) throw new Error(`Cannot try guests: apt-get ${args[0]} ended with ${status}; ${wanted}`)
  }
  apt('update', '-qq')
  apt('install', '-y', '-qq', '--no-install-recommends', ...names)
}

const canRun = (program: string, args: string[]) => spawnSync(program, args, { stdio: 'ignore' }).status === 0
const isThere = (program: string) => canRun('sh', ['-c', `command -v ${program}`])
