import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { openClusters } from '../../shared/clients/clusters.ts'
import { parseYaml } from '../../shared/yaml.ts'

/** The commands of docs/install.md, as they stand there. Those that would disturb what is installed here change nothing. */

const plane = inject('controlPlane')
const root = new URL('../..', import.meta.url).pathname
const guide = readFileSync(join(root, 'docs/install.md'), 'utf8')
const directory = mkdtempSync(join(tmpdir(), 'install-guide-'))
afterAll(() => rmSync(directory, { recursive: true }))

const commandsOf = (name: string) => {
  const found = new RegExp(`^<!-- tried: ${name} -->\\n+\`\`\`sh\\n(.*?)^\`\`\``, 'ms').exec(guide)?.[1]
  if (!found) throw new Error(`Cannot find the commands "${name}" in docs/install.md`)
  return found
}

/** Runs a block of commands; `kubectl` is ours, and what each command that changes something is given besides. */
async function follow(name: string, besides = '', argocd = 'argocd'): Promise<string> {
  const kubectl = `kubectl() {
    case " $* " in
      *" apply "*|*" patch "*|*" delete "*|*" create secret "*) set -- "$@" ${besides};;
    esac
    '${plane?.kubectl}' "$@"
  }`
  const places = ['broker', 'triggers', 'examples']
    .map((folder) => `ln -sfn '${join(root, folder)}' ${folder}`)
    .join('\n')
  const path = '/usr/local/bin:/usr/bin:/bin'
  const env = { PATH: path, HOME: directory, KUBECONFIG: plane?.kubeconfig ?? '', ARGOCD: argocd }
  const script = `${places}\n${kubectl}\n${commandsOf(name)}`
  return (await promisify(execFile)('bash', ['--norc', '-ec', script], { cwd: directory, env })).stdout
}

const kubectl = async (...args: string[]) =>
  (await promisify(execFile)(plane?.kubectl ?? '', ['--kubeconfig', plane?.kubeconfig ?? '', ...args])).stdout

describe('the guide', () => {
  it('has no marked commands that are not tried here', () => {
    const marked = [...guide.matchAll(/<!-- tried: (\w+) -->/g)].map((match) => match[1])
    expect(marked).toEqual([
      'argocd',
      'health',
      'exclusions',
      'reader',
      'secrets',
      'drover',
      'oidc',
      'restart',
      'remove',
    ])
  })

  it.each(['argocd', 'drover', 'oidc', 'restart', 'remove'])('%s: the API server takes it', async (name) => {
    const said = await follow(name, '--dry-run=server')
    expect(said).toContain('(server dry run)')
  })
})

describe('the settings of Argo CD', () => {
  // The real ones are in use.
  const namespace = `install-guide-${process.pid}`
  beforeAll(async () => {
    await kubectl('create', 'namespace', namespace)
    const held = [
      '--from-literal=url=https://argocd.example.com',
      '--from-literal=resource.exclusions=- kinds: [Lease]\n',
    ]
    await kubectl('-n', namespace, 'create', 'configmap', 'argocd-cm', ...held, '--save-config')
  })
  afterAll(() => kubectl('delete', 'namespace', namespace, '--wait=false').then(() => undefined))

  it('are added to those that are there', async () => {
    for (const name of ['health', 'exclusions']) await follow(name, '', namespace)
    const { data } = JSON.parse(await kubectl('-n', namespace, 'get', 'configmap', 'argocd-cm', '-o', 'json'))
    expect(data).toEqual({
      url: 'https://argocd.example.com',
      'resource.customizations.health.kubevirt.io_VirtualMachine': expect.stringContaining('Stopped, as Git says'),
      'resource.exclusions': expect.any(String),
    })
    expect(parseYaml(data['resource.exclusions'])).toMatchObject([
      { kinds: ['Lease'] },
      { apiGroups: ['kubevirt.io'], kinds: ['VirtualMachineInstance'] },
      {},
      {},
      {},
    ])
  })
})

describe('the kubeconfig of managed clusters', () => {
  it('lets Drover’s client read machines there, and goes into a Secret with the others', async () => {
    await follow('reader')
    const clusters = join(directory, 'clusters.yaml')
    expect(parseYaml(readFileSync(clusters, 'utf8'))).toMatchObject({
      contexts: [{ name: 'site-a', context: { cluster: 'site-a', user: 'site-a' } }],
    })
    const ask = (...args: string[]) =>
      promisify(execFile)(plane?.kubectl ?? '', ['--kubeconfig', clusters, '--context', 'site-a', ...args])
    await expect(ask('get', 'secrets', '-A')).rejects.toThrow(/forbidden/)

    const env = { KUBECONFIG: `${plane?.kubeconfig}:${clusters}`, HOME: directory }
    const merged = await promisify(execFile)(plane?.kubectl ?? '', ['config', 'view', '--raw', '--flatten'], { env })
    const kubeconfig = join(directory, 'both.yaml')
    writeFileSync(kubeconfig, merged.stdout)
    const { occupants } = openClusters({ kubeconfig, hubContext: 'hub', argocdNamespace: 'argocd' })
    const found = await occupants.of({ cluster: 'site-a', namespace: 'default', name: 'none' })
    expect(found).toEqual({ application: undefined, machine: undefined })

    writeFileSync(join(directory, 'git-token'), 'not a real one')
    writeFileSync(join(directory, 'git-read-token'), 'not a real one either')
    expect(await follow('secrets', '--dry-run=server')).toMatch(/drover-signing-keys.*drover-git.*drover-clusters/s)
  })
})
