import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { openFolder } from '../../scripts/folder-tree.ts'
import { rehearse } from '../../scripts/rehearse.ts'
import type { Change } from '../../shared/fleet.ts'
import type { Manifest } from '../../shared/kubevirt/manifest.ts'
import { check } from '../../shared/schema/check.ts'
import { Definition } from '../../shared/schema/definition.ts'
import { exampleEvents } from '../examples/starter.ts'

const settings = {
  repoUrl: 'https://git.example.com/fleet.git',
  branch: 'main',
  namespace: 'argocd',
  project: 'default',
  rootApplication: 'drover-hub',
}
const rendered = async (request: unknown): Promise<Change[]> =>
  rehearse({ source: '/examples', id: 'x', request, cluster: 'site-a', settings }, await openFolder('examples/fleet'))
const examples = Object.entries(exampleEvents()).map(([name, event]) => [name, event.data] as const)
const objectsOf = (changes: Change[]): Manifest[] =>
  changes
    .filter(({ path }) => /^(hub|vms|namespaces)\//.test(path) && !path.endsWith('/values.yaml'))
    .map(({ content }) => parse(content ?? ''))
const ofKind = (objects: Manifest[], kind: string) => objects.filter((one) => one.kind === kind)

describe.each(examples)('rehearse of %s', (_, request) => {
  it('puts every object of a machine into Git', async () => {
    const changes = await rendered(request)
    const kinds = new Set(objectsOf(changes).map(({ kind }) => kind))
    expect([...kinds]).toEqual(
      expect.arrayContaining([
        'Placement',
        'Role',
        'RoleBinding',
        'DataVolume',
        'ExternalSecret',
        'VirtualMachine',
        'DNSEndpoint',
        'Application',
        'Namespace',
      ]),
    )
    const folders = new Set(changes.map(({ path }) => path.split('/')[0]))
    expect([...folders]).toEqual(['names', 'ipam', 'hub', 'vms', 'namespaces'])
  })

  it('writes what readers of YAML 1.1 and 1.2 read alike', async () => {
    for (const { content } of await rendered(request)) {
      const old = parse(content ?? '', { version: '1.1' })
      expect(old).toEqual(parse(content ?? '', { version: '1.2' }))
      expect(old).toBeTypeOf('object')
    }
  })

  it('writes a definition that its schema accepts', async () => {
    const values = (await rendered(request)).find(({ path }) => path.endsWith('/values.yaml'))
    expect(check(Definition, parse(values?.content ?? ''), 'the definition')).toMatchObject({ ok: true })
  })

  it('protects every data disk and lets no machine own a disk', async () => {
    const objects = objectsOf(await rendered(request))
    const disks = ofKind(objects, 'DataVolume').filter(
      ({ metadata }) => metadata.labels?.['drover.dev/disk'] === 'data',
    )
    const { disks: wanted = [] } = request as { disks?: unknown[] }
    expect(disks).toHaveLength(wanted.length)
    for (const { metadata } of disks)
      expect(metadata.annotations).toMatchObject({
        'argocd.argoproj.io/sync-options': 'Prune=false,Delete=false',
        'argocd.argoproj.io/compare-options': 'IgnoreExtraneous',
      })
    expect(JSON.stringify(objects)).not.toMatch(/dataVolumeTemplates|ownerReferences/)
  })

  it('has every claim and every secret that the machine mounts', async () => {
    const objects = objectsOf(await rendered(request))
    const [machine] = ofKind(objects, 'VirtualMachine')
    const text = JSON.stringify(machine)
    const claims = [...text.matchAll(/"claimName":"([^"]+)"/g)].map((match) => match[1])
    expect(claims).toEqual(ofKind(objects, 'DataVolume').map(({ metadata }) => metadata.name))
    const secrets = [...text.matchAll(/(?:[sS]ecretRef|secret)":\{"name":"([^"]+)"/g)].map((match) => match[1])
    expect([...new Set(secrets)]).toEqual(ofKind(objects, 'ExternalSecret').map(({ metadata }) => metadata.name))
  })

  it('leaves secrets to the cluster and nothing to fill in', async () => {
    const changes = await rendered(request)
    expect(ofKind(objectsOf(changes), 'Secret')).toEqual([])
    for (const { content } of changes) expect(content).not.toContain('${')
  })

  it('gives the same files for the same request', async () => {
    expect(await rendered(request)).toEqual(await rendered(request))
  })
})

describe('npm run render', () => {
  const run = (...args: string[]) => spawnSync('node', ['scripts/render.ts', ...args], { encoding: 'utf8' })

  it('prints each file after its path, as one stream of YAML documents', () => {
    const { stdout, stderr, status } = run('examples/provision.json', '--cluster', 'site-b')
    expect([stderr, status]).toEqual(['', 0])
    expect(stdout).toContain('---\n# vms/site-b/shop/prod-shop-001/manifests/virtualmachine-prod-shop-001.yaml\n')
  })

  it.each<[string, unknown, RegExp]>([
    [
      'a request that cannot be granted',
      { template: 'nothing', namespace: 'UP' },
      /^Cannot grant the request: .*namespace is "UP"/,
    ],
    ['a request that is no object', 'nothing', /^Cannot grant the request: /],
  ])('says why %s is refused, and exits with 1', (_, data, message) => {
    const folder = mkdtempSync(join(tmpdir(), 'render-'))
    try {
      const file = join(folder, 'request.json')
      writeFileSync(file, JSON.stringify({ specversion: '1.0', id: '1', source: '/x', type: 'x', data }))
      const { stdout, stderr, status } = run(file)
      expect([stdout, status]).toEqual(['', 1])
      expect(stderr).toMatch(message)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('asks for a request when there is none', () => {
    const { stderr, status } = run()
    expect(status).toBe(1)
    expect(stderr).toMatch(/^Cannot render: no request is named; npm run render -- REQUEST.json/)
  })

  it.each<[string, string[], string]>([
    ['a file that is not there', ['nowhere.json'], 'Cannot read the event: ENOENT'],
    ['a file that is not JSON', ['README.md'], 'Cannot read the event: it is not JSON'],
    ['a file that holds no event', ['package.json'], 'Cannot read the event: '],
    ['two files', ['a.json', 'b.json'], 'Cannot render: more than one request is named; npm run render'],
    ['an option that there is not', ['--bogus'], "Unknown option '--bogus'"],
    ['no fleet', ['examples/provision.json', '--fleet', 'nowhere'], 'Cannot read the fleet: ENOENT'],
    [
      'a path for a cluster',
      ['examples/provision.json', '--cluster', '../x'],
      '--cluster is "../x", wanted the name of',
    ],
  ])('says it in one sentence when it is given %s', (_, args, message) => {
    const { stdout, stderr, status } = run(...args)
    expect([stdout, status]).toEqual(['', 1])
    expect(stderr).toContain(message)
    expect(stderr).not.toContain('    at ')
  })
})
