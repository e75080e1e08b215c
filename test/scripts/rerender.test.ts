import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { change } from '../../functions/build/change.ts'
import { openTree } from '../../scripts/folder-tree.ts'
import { type Drift, driftIn } from '../../scripts/rerender/drift.ts'
import { toImageChangeSet } from '../../shared/gitops/change-set.ts'
import { lockOf, toLock } from '../../shared/lock.ts'
import { definitionFile, imageFile, imageManifestsFolder, manifestsFolder } from '../../shared/paths.ts'
import { toYaml } from '../../shared/yaml.ts'
import { buildSettings, changing, commitAs, fleetHaving } from '../functions/changes.ts'
import { build, golden } from '../shared/images/golden.ts'
import { databaseServer } from '../shared/kubevirt/definitions.ts'

const manifests = manifestsFolder('site-a', 'shop', 'db-01')
const values = definitionFile('site-a', 'shop', 'db-01')
const machine = `${manifests}/virtualmachine-db-01.yaml`
const rights = `${manifests}/role-db-01-owner.yaml`
const binding = `${manifests}/rolebinding-db-01-owner.yaml`
const endpoint = `${manifests}/dnsendpoint-db-01.yaml`
const disk = `${manifests}/datavolume-db-01-data-wal-4f3104.yaml`
const madeSecret = {
  name: 'token',
  store: 'platform',
  storeKind: 'ClusterSecretStore' as const,
  data: { value: { key: 'drover/token' } },
}
/** As an older version may have rendered it. */
const stale = `${manifests}/configmap-db-01.yaml`
const what = 'shop/db-01 on site-a'

/** A machine and an image as this version renders them, but for these files. */
async function fleetWith(files: Record<string, string | null> = {}) {
  const fleet = await fleetHaving(databaseServer())
  const image = await toImageChangeSet(golden({ current: build() }), await fleet.head(), buildSettings)
  fleet.put(Object.fromEntries(image.map(({ path, content }) => [path, content])))
  fleet.put(files)
  return fleet
}

async function driftOf(files: Record<string, string | null> = {}): Promise<Drift[]> {
  const found: Drift[] = []
  for await (const one of driftIn(await (await fleetWith(files)).head())) found.push(one)
  return found
}

const textOf = async (path: string) => (await (await fleetWith()).files())[path] ?? ''
const older = async (path: string) => (await textOf(path)).replace('drover.dev/template', 'drover.dev/kind')

describe('the drift of a fleet', () => {
  it('is none where each machine and each image is what its definition renders to', async () => {
    expect(await driftOf()).toEqual([
      { what, changes: [], problems: [] },
      { what: 'image rhel9', changes: [], problems: [] },
    ])
  })

  it.each<[string, string, (text: string) => string | null]>([
    ['a label that another version gave', rights, (text) => text.replace('drover.dev/template', 'drover.dev/kind')],
    ['a machine that is moved otherwise', machine, (text) => text.replace('LiveMigrateIfPossible', 'None')],
    ['a size in another unit', disk, (text) => text.replace('storage: "50Gi"', 'storage: "51200Mi"')],
    ['a label of a disk', disk, (text) => text.replace('drover.dev/template', 'drover.dev/kind')],
    ['an object that an older version did not render', endpoint, () => null],
  ])('is what makes it alike: %s', async (_, path, edit) => {
    const text = await textOf(path)
    const edited = edit(text)
    expect(edited).not.toBe(text)
    const [found] = await driftOf({ [path]: edited })
    expect(found).toEqual({ what, changes: [{ path, content: text }], problems: [] })
  })

  it('is what makes it alike: an object that this version does not render any more', async () => {
    const [found] = await driftOf({ [stale]: 'kind: ConfigMap\n' })
    expect(found).toEqual({ what, changes: [{ path: stale, content: null }], problems: [] })
  })

  it('is that of an image too', async () => {
    const path = `${imageManifestsFolder('rhel9')}/datasource-rhel9.yaml`
    const text = await textOf(path)
    const [, found] = await driftOf({ [path]: text.replace('drover.dev/image', 'drover.dev/kind') })
    expect(found).toEqual({ what: 'image rhel9', changes: [{ path, content: text }], problems: [] })
  })

  it.each<[string, Record<string, string | null>, RegExp]>([
    [
      'a data disk that is gone',
      { [disk]: null },
      /-wal-4f3104\.yaml is not there: bring it back from the history of Git, for to make a DataVolume anew/,
    ],
    ['a machine that is gone', { [machine]: null }, /is not there: .* to make a VirtualMachine anew is no repair/],
    [
      'a data disk that is broken',
      { [disk]: '{ # drover.dev/disk\n' },
      /Cannot read .*-wal-4f3104\.yaml: Flow map must end/,
    ],
    [
      'a disk that no definition has',
      { [`${manifests}/other.yaml`]: 'kind: DataVolume\n' },
      /other\.yaml is there, and no definition renders to it: to take a DataVolume away is for you/,
    ],
    [
      'a kind that is not Drover’s',
      { [`${manifests}/x.yaml`]: 'kind: Namespace\n' },
      /to take a Namespace away is for you/,
    ],
    [
      'a restore that no definition has',
      { [`${manifests}/x.yaml`]: 'kind: VirtualMachineRestore\n' },
      /to take a VirtualMachineRestore away/,
    ],
    [
      'two objects in one file',
      { [`${manifests}/x.yaml`]: 'kind: Role\n---\nkind: PersistentVolumeClaim\n' },
      /x\.yaml holds no Kubernetes object, or several/,
    ],
    [
      'a data disk in whose file is something else',
      { [disk]: 'kind: ConfigMap\n' },
      /is a DataVolume with another kind, /,
    ],
    [
      'a data disk that no definition has',
      {
        [`${manifests}/datavolume-other.yaml`]:
          'kind: DataVolume\nmetadata: { name: other, labels: { drover.dev/disk: data } }\nspec: {}\n',
      },
      /would remove the data disk "other"/,
    ],
    [
      'a definition of another machine',
      { [values]: toYaml({ ...databaseServer(), name: 'db-02' }) },
      /values\.yaml is of shop\/db-02 on site-a/,
    ],
    ['a definition that is gone', { [values]: null }, /values\.yaml is not there/],
    ['a definition that breaks its schema', { [values]: 'name: 1\n' }, /values\.yaml: /],
  ])('is for a person: %s', async (_, files, problem) => {
    const [found] = await driftOf(files)
    expect(found?.problems.join('\n')).toMatch(problem)
  })

  it.each<[string, string, string | RegExp, string, string]>([
    ['a disk of another size', disk, /storage: "\d+Gi"/, 'storage: "1Gi"', 'a DataVolume with another spec'],
    [
      'a disk of another name',
      disk,
      /name: "db-01-data-wal-4f3104"/,
      'name: "other"',
      'a DataVolume with another metadata.name',
    ],
    [
      'a disk that is not protected',
      disk,
      'Prune=false,Delete=false',
      '',
      'a DataVolume with another metadata.annotations.argocd.argoproj.io/sync-options',
    ],
    ['a machine that was turned off', machine, 'Always', 'Halted', 'a VirtualMachine with another spec.runStrategy'],
    [
      'a machine with another disk',
      machine,
      /claimName: "[^"]+"/,
      'claimName: "x"',
      'a VirtualMachine with another spec.template.spec.volumes',
    ],
    ['rights by another role', binding, 'roleRef:', 'other:', 'a RoleBinding with another roleRef'],
  ])('is for a person: %s', async (_, path, from, to, problem) => {
    const text = await textOf(path)
    expect(text).toMatch(from)
    const [found] = await driftOf({ [path]: text.replace(from, to) })
    expect(found?.problems).toContain(`${path} is ${problem} than its definition says`)
  })

  it('is for a person: a restore that Argo CD would do once more', async () => {
    const restore = { name: 'db-01-restore-1', snapshot: 'db-01-clean', replaces: true } as const
    const fleet = await fleetHaving(databaseServer({ restore }))
    const path = `${manifests}/virtualmachinerestore-db-01-restore-1.yaml`
    const text = (await fleet.files())[path] ?? ''
    fleet.put({ [path]: text.replace('drover.dev/template', 'drover.dev/kind') })
    const { value: found } = await driftIn(await fleet.head()).next()
    expect(found?.problems).toEqual([`${path} would be deleted and made anew by Argo CD`])
  })

  it('is for a person: a disk that a de-provisioning has marked and not removed', async () => {
    const disks = databaseServer().disks.map((one) => (one.name === 'wal' ? { ...one, destroyed: true } : one))
    const [found] = await driftOf({ [values]: toYaml(databaseServer({ disks })) })
    expect(found?.problems[0]).toMatch(
      /has marked "wal" to be destroyed\. Put the machine's files back to what they were before it/,
    )
  })

  it('tells of what cannot be looked at, and of all the others', async () => {
    const [found, image] = await driftOf({ [lockOf(databaseServer())]: '{', [rights]: await older(rights) })
    expect(found?.problems).toEqual([expect.stringContaining('Cannot read')])
    expect(image).toMatchObject({ what: 'image rhel9', problems: [] })
  })

  it('of a machine that a run holds has to wait for its end', async () => {
    const run = changing('power', { action: 'stop' }, 'stop.build')
    const fleet = await fleetWith({ [rights]: await older(rights), [lockOf(databaseServer())]: toLock(run) })
    await commitAs({ ...run, task: 'locate' }, fleet)
    const { value: found } = await driftIn(await fleet.head()).next()
    expect(found?.problems).toEqual([
      expect.stringMatching(/^shop\/db-01 on site-a is held by run 0123.*: wait until it has ended$/),
    ])
  })
})

describe('npm run rerender', () => {
  const folders: string[] = []
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
  })
  const run = (...args: string[]) => {
    const { stdout, stderr, status } = spawnSync('node', ['scripts/rerender.ts', ...args], { encoding: 'utf8' })
    return { lines: stdout.split('\n').filter(Boolean), stderr, status }
  }

  async function cloneWith(files: Record<string, string | null>) {
    const folder = mkdtempSync(join(tmpdir(), 'rerender-'))
    folders.push(folder)
    for (const [path, text] of Object.entries(await (await fleetWith(files)).files())) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    return folder
  }

  it('says what is rendered otherwise, and writes nothing unless it is told to', async () => {
    const folder = await cloneWith({
      [rights]: await older(rights),
      [endpoint]: null,
      [stale]: 'kind: ConfigMap\n',
    })
    expect(run('--fleet', folder)).toEqual({
      lines: [
        `${what}: ${rights} is rendered otherwise`,
        `${what}: ${endpoint} is rendered otherwise`,
        `${what}: ${stale} is not rendered any more`,
        'Machines and images: 1 alike, 1 rendered otherwise (--write renders them anew), 0 left for you to look at',
      ],
      stderr: '',
      status: 1,
    })
    expect(readFileSync(join(folder, rights), 'utf8')).toBe(await older(rights))
  })

  it('writes it, and then a change of the machine is taken that was refused before', async () => {
    const before = { [rights]: await older(rights), [endpoint]: null, [stale]: 'kind: ConfigMap\n' }
    const folder = await cloneWith(before)
    const { lines, status } = run('--fleet', folder, '--write')
    expect(lines.at(-1)).toBe(
      'Machines and images: 1 alike, 1 rendered otherwise (written: git diff shows it), 0 left for you to look at',
    )
    expect(status).toBe(0)
    expect(run('--fleet', folder)).toMatchObject({
      lines: ['Machines and images: 2 alike, 0 rendered otherwise, 0 left for you to look at'],
      status: 0,
    })
    const tree = await openTree(folder)
    const after = Object.fromEntries(
      await Promise.all(Object.keys(before).map(async (path) => [path, (await tree.read(path)) ?? null])),
    )
    expect(await stopping(before)).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('not what the definition renders to'),
    })
    expect(await stopping(after)).toMatchObject({ kind: 'succeeded' })
  })

  async function stopping(files: Record<string, string | null>) {
    const fleet = await fleetWith(files)
    const run = changing('power', { action: 'stop' }, 'stop.build')
    await commitAs({ ...run, task: 'locate' }, fleet)
    return change(run, await fleet.head(), buildSettings)
  }

  it('leaves a machine alone of which one file is for a person', async () => {
    const folder = await cloneWith({ [rights]: await older(rights), [disk]: null })
    const { lines, status } = run('--fleet', folder, '--write')
    expect(lines).toEqual([
      expect.stringMatching(/^shop\/db-01 on site-a: .* is not there: bring it back from the history of Git/),
      'Machines and images: 1 alike, 0 rendered otherwise, 1 left for you to look at',
    ])
    expect(status).toBe(1)
    expect(readFileSync(join(folder, rights), 'utf8')).toBe(await older(rights))
  })

  it('follows no link out of the clone', async () => {
    const folder = await cloneWith({ [rights]: await older(rights) })
    const outside = mkdtempSync(join(tmpdir(), 'rerender-'))
    folders.push(outside)
    writeFileSync(join(outside, 'secret'), 'kind: ConfigMap\n')
    rmSync(join(folder, manifests), { recursive: true })
    symlinkSync(outside, join(folder, manifests))
    const { lines, status } = run('--fleet', folder, '--write')
    expect(lines.at(-1)).toBe('Machines and images: 1 alike, 0 rendered otherwise, 1 left for you to look at')
    expect(status).toBe(1)
    expect(readdirSync(outside)).toEqual(['secret'])
  })

  it('writes through no link either, where what is missing could be made', async () => {
    const bare = golden({ secrets: [madeSecret] })
    const { current: _, ...image } = bare
    const folder = await cloneWith({})
    const outside = mkdtempSync(join(tmpdir(), 'rerender-'))
    folders.push(outside)
    writeFileSync(join(folder, imageFile('rhel9')), toYaml(image))
    rmSync(join(folder, imageManifestsFolder('rhel9')), { recursive: true })
    symlinkSync(outside, join(folder, imageManifestsFolder('rhel9')))
    const { stderr, status } = run('--fleet', folder, '--write')
    expect(stderr).toMatch(/^Cannot write images\/rhel9\/manifests\/externalsecret-token\.yaml: it is behind a link/)
    expect([status, readdirSync(outside)]).toEqual([1, []])
  })

  it.each<[string, string[], RegExp]>([
    ['no folder', [], /^Cannot compare: no clone of the fleet repository is named; npm run rerender -- --fleet DIR/],
    ['a folder that is not there', ['--fleet', 'nowhere'], /^Cannot read the fleet: ENOENT/],
    ['a folder without machines', ['--fleet', 'docs'], /^Cannot compare: docs has no machine and no image/],
    ['an option that it does not know', ['--force'], /Unknown option '--force'/],
  ])('says what is wrong with %s, and exits with 1', (_, args, message) => {
    const { lines, stderr, status } = run(...args)
    expect([lines, status]).toEqual([[], 1])
    expect(stderr).toMatch(message)
  })
})
