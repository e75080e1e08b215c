import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Ports } from '../../local/functions.ts'
import { startWorld, type World } from '../../local/world.ts'
import { type FunctionName, functionNames } from '../../shared/lifecycles.ts'
import { runId } from '../../shared/run.ts'
import { kustomize } from '../broker-yaml/kustomize.ts'
import { find } from '../broker-yaml/manifest.ts'
import { type Container, devices, makeImage, startContainer, stopContainer, whyNoContainers } from './container.ts'

/**
 * Every function as its Service runs it: the image's command, the Service's variables and mounts, a user that nobody knows, and a
 * root file system that is read-only and holds Node and git alone.
 */

const root = new URL('../..', import.meta.url).pathname
const user = 1_000_650_000
const reason = whyNoContainers()
const installed = kustomize('broker')
const podOf = (name: FunctionName) => find(installed, 'Service', name).spec.template.spec

let directory: string
let world: World
const containers = new Map<FunctionName, Container>()

/** Writes the Secrets that a function's Service mounts, and starts it. */
function startFunction(image: Parameters<typeof startContainer>[0], name: FunctionName, given: Record<string, string>) {
  const { PATH, HOME, DROVER_SIGNING_KEYS, DROVER_GIT_TOKEN, DROVER_GIT_DIRECTORY, KUBECONFIG, ...settings } = given
  const {
    containers: [container],
    volumes,
  } = podOf(name)
  const secrets: Record<string, [key: string, value: string]> = {
    'drover-signing-keys': ['keys', DROVER_SIGNING_KEYS ?? ''],
    'drover-git': ['token', DROVER_GIT_TOKEN ?? ''],
    'drover-git-read': ['token', DROVER_GIT_TOKEN ?? ''],
    'drover-clusters': ['kubeconfig', readFileSync(KUBECONFIG ?? '', 'utf8')],
  }
  const mounts = container.volumeMounts.map(({ name: volume, mountPath }) => {
    const secret = volumes.find((one) => one.name === volume)?.secret?.secretName
    if (!secret) return [mountPath, 'memory'] as const
    const folder = join(directory, 'secrets', name, secret)
    mkdirSync(folder, { recursive: true })
    mkdirSync(join(image.root, mountPath), { recursive: true })
    const [key, value] = secrets[secret] ?? ['', '']
    writeFileSync(join(folder, key), value, { mode: 0o440 })
    return [mountPath, { folder }] as const
  })
  const own = Object.fromEntries(container.env.map((one) => [one.name, one.value]))
  return startContainer(image, {
    user,
    env: { DROVER_LOG_LEVEL: 'debug', ...settings, ...own },
    mounts: Object.fromEntries(mounts),
  })
}

async function ready(container: Container, port: number): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(30)) {
    if (container.child.exitCode !== null) break
    const answer = await fetch(`http://127.0.0.1:${port}/health/readiness`).catch(() => undefined)
    if (answer?.status === 200) return
  }
  throw new Error(`Cannot start the container: ${container.said() || 'it was not ready within 60 s'}`)
}

async function start(ports: Ports, environmentOf: (name: FunctionName) => Record<string, string>) {
  const folder = join(directory, 'root')
  const image = await makeImage(folder, join(root, 'Containerfile'))
  for (const name of functionNames)
    containers.set(name, startFunction(image, name, { ...environmentOf(name), PORT: String(ports[name]) }))
  await Promise.all([...containers].map(([name, container]) => ready(container, ports[name])))
  const close = async () => void (await Promise.all([...containers.values()].map(stopContainer)))
  return { close, kill: () => false, ends: () => 0 }
}

describe.skipIf(reason)(`a function in its container${reason ? ` (skipped: ${reason})` : ''}`, () => {
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'drover-container-'))
    world = await startWorld({ directory: join(directory, 'world'), delays: 0, start })
  }, 120_000)
  afterAll(async () => {
    await world.close()
    rmSync(directory, { recursive: true, force: true })
  })

  const each = () => [...containers].map(([name, container]) => [name, container.pid()] as const)

  it('is alone with Node, git, git’s helper for HTTP, and the program of a push', () => {
    const programs = readdirSync(join(directory, 'root'), { recursive: true, withFileTypes: true })
      .filter(
        (file) =>
          file.isFile() && !/\.so[.\d]*$/.test(file.name) && !/\/(dev|dist\/compiled\/.*)$/.test(file.parentPath),
      )
      .map(({ name }) => name)
    expect(programs.sort()).toEqual([
      'drover.cjs',
      'git',
      'git-remote-http',
      'git-remote-https',
      'node',
      'push-disk.cjs',
    ])
  })

  it('is no root, gains no right, and has a read-only root', () => {
    for (const [, pid] of each()) {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      expect(status).toMatch(new RegExp(`^Uid:(\\t${user}){4}$`, 'm'))
      expect(status).toMatch(/^CapEff:\t0+$/m)
      expect(status).toMatch(/^CapPrm:\t0+$/m)
      expect(status).toMatch(/^NoNewPrivs:\t1$/m)
      expect(status).toMatch(/^NSpid:\t\d+\t1$/m)
      expect(readlinkSync(`/proc/${pid}/exe`)).toMatch(/usr\/bin\/node$/)
      const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split(' '))
      const writable = mounts.filter(([, , , , , options = '']) => /^rw/.test(options)).map(([, , , , path]) => path)
      expect(writable.filter((path) => path !== '/tmp').sort()).toEqual(
        [...devices.map((one) => `/${one}`), '/proc'].sort(),
      )
    }
  })

  it('does all of a run, and needs no more memory than its Service may have', { timeout: 60_000 }, async () => {
    const event = { ...JSON.parse(readFileSync(join(root, 'examples/provision.json'), 'utf8')), id: randomUUID() }
    const headers = { 'content-type': 'application/cloudevents+json' }
    await fetch(world.broker, { method: 'POST', headers, body: JSON.stringify(event) })
    const run = runId(event.source, event.id)
    await world.feed.first((seen) => seen.run === run && seen.type.endsWith('.notified'))
    const ended = world.feed.seen.find((seen) => seen.run === run && seen.type.endsWith('.completed'))
    expect(ended?.data.message).toContain('is ready on')
    for (const [name, pid] of each()) {
      const [, peak] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
      const [, limit] =
        /^(\d+)Mi$/.exec(podOf(name).containers[0].resources.limits.memory.replace('1Gi', '1024Mi')) ?? []
      expect(Number(peak)).toBeGreaterThan(0)
      expect(Number(peak) / 1024, name).toBeLessThan(Number(limit))
    }
  })

  it('starts from what was compiled when the image was made, whoever its user is', () => {
    for (const [name, container] of containers) {
      const [, parts] = /"compiled":(\d+),"msg":"started"/.exec(container.said()) ?? []
      expect(Number(parts), name).toBeGreaterThan(2)
    }
  })

  it('leaves no process behind as the first of its container', () => {
    for (const [name, pid] of each()) {
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
      const states = children.map((child) => /^State:\t(\w)/m.exec(readFileSync(`/proc/${child}/status`, 'utf8'))?.[1])
      expect(states, name).not.toContain('Z')
    }
  })

  it('ends in peace when its node tells it to', async () => {
    const codes = await Promise.all([...containers.values()].map(stopContainer))
    expect(codes).toEqual(functionNames.map(() => 0))
    expect([...containers.values()].map((container) => container.said()).join('')).not.toMatch(/"level":(50|60)/)
  })
})
