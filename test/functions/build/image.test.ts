import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { BuildSettings } from '../../../functions/build/change.ts'
import { buildImage } from '../../../functions/build/image.ts'
import { buildStep } from '../../../functions/build/step.ts'
import { toImageChangeSet } from '../../../shared/gitops/change-set.ts'
import type { ImageRound } from '../../../shared/lifecycles.ts'
import { customizationFile, imageFile, imageManifestsFolder, runFile } from '../../../shared/paths.ts'
import { check } from '../../../shared/schema/check.ts'
import { type Build, GoldenImage, type MadeSecret, type Work } from '../../../shared/schema/golden-image.ts'
import type { ImageRequest } from '../../../shared/schema/requests.ts'
import type { Facts, Outcome, Run } from '../../../shared/step.ts'
import { parseYaml, toYaml } from '../../../shared/yaml.ts'
import { runOf } from '../../examples/starter.ts'
import { type MemoryFleet, memoryFleet } from '../../fleet.ts'
import { build, golden } from '../../shared/images/golden.ts'
import { buildSettings, commitAs } from '../changes.ts'
import { hereOf } from '../here.ts'

const settings: BuildSettings = { ...buildSettings, pushImage: 'registry.example.com/push:1' }
const source = { url: 'https://cloud.example.com/rhel9.qcow2' }
const target = { repository: 'registry.example.com/golden/rhel9', tag: 'latest' }
const token: MadeSecret = {
  name: 'token',
  store: 'platform',
  storeKind: 'ClusterSecretStore',
  data: { value: { key: 'drover/token' } },
}
const values = imageFile('rhel9')
const disk = `${imageManifestsFolder('rhel9')}/datavolume-rhel9-01234567.yaml`
const dataSource = `${imageManifestsFolder('rhel9')}/datasource-rhel9.yaml`

/** A run that makes an image, at the build of a round. */
function making(
  round: ImageRound,
  said: Partial<ImageRequest> = {},
  facts: Facts = {},
  change: Partial<Run> = {},
): Run {
  const request: ImageRequest = {
    namespace: 'golden',
    image: 'rhel9',
    cluster: 'site-a',
    source,
    size: '30Gi',
    ...said,
  }
  const known: Facts = { name: 'rhel9', cluster: 'site-a', ...facts }
  return runOf({ lifecycle: 'golden-image', task: `${round}.build`, request, facts: known, ...change })
}

const { id, requester, since } = making('import')
/** What the run makes: a disk that says where it is from. */
const made: Build = { name: 'rhel9-01234567', run: id, requester, since, source, size: '30Gi' }
const work: Work = { build: made, deadlineSeconds: 3600 }
const older = (run: string) => build({ name: `rhel9-${run.slice(0, 8)}`, run, kept: true })
const before = golden({
  operation: 'aaaaaaaaaaaaaaaaaaaa.publish',
  current: older('aaaaaaaaaaaaaaaaaaaa'),
  older: [older('bbbbbbbbbbbbbbbbbbbb')],
})
const begun = { ...before, operation: `${id}.import`, work }

/** A fleet in which a run holds an image, which is there as its definition says. */
async function fleetHolding(run: Run, image?: GoldenImage, files: Record<string, string | null> = {}) {
  const fleet = memoryFleet()
  const there = image ? await toImageChangeSet(image, await fleet.head(), settings) : []
  fleet.put(Object.fromEntries(there.map(({ path, content }) => [path, content])))
  await commitAs({ ...run, task: 'hold' }, fleet)
  fleet.put(files)
  return fleet
}

/** What a run builds of an image. */
async function building(run: Run, image?: GoldenImage, files: Record<string, string | null> = {}, other = settings) {
  return buildStep(await fleetHolding(run, image, files), other)(run, hereOf().here)
}

const changesIn = (outcome: Outcome) => (outcome.kind === 'succeeded' ? (outcome.changes ?? []) : [])
const imageIn = (outcome: Outcome) => (outcome.kind === 'succeeded' ? outcome.facts?.image : undefined)
const refusal = (sentence: string) => ({
  kind: 'refused',
  message: `Cannot change image rhel9: ${sentence}`,
  facts: {},
})

async function commit(fleet: MemoryFleet, run: Run, outcome: Outcome) {
  await commitAs({ ...run, task: run.task.replace('build', 'commit') }, fleet, changesIn(outcome))
}

describe('the disk of a golden image', () => {
  it('is the first thing of an image that is new, and nothing that machines use', async () => {
    const outcome = await building(making('import'))
    expect(imageIn(outcome)).toEqual({
      ...{ name: 'rhel9', namespace: 'golden', cluster: 'site-a', dataSource: 'rhel9' },
      operation: `${id}.import`,
      keep: 3,
      secrets: [],
      older: [],
      work,
    })
    expect(outcome.message).toBe('Built 5 files for image rhel9')
    expect(changesIn(outcome).map(({ path }) => path)).toEqual([
      values,
      disk,
      'hub/applications/site-a/golden/image.rhel9.yaml',
      'namespaces/site-a/golden/namespace.yaml',
      'hub/applications/site-a/golden.yaml',
    ])
  })

  it('is made beside those that there are, which stay as they are', async () => {
    const run = making('import')
    const fleet = await fleetHolding(run, before)
    const tree = await fleet.head()
    const outcome = await buildImage(run, tree, settings)
    expect(imageIn(outcome)).toEqual(begun)
    expect(changesIn(outcome).map(({ path, expect: now }) => [path, now])).toEqual([
      [values, await tree.oid(values)],
      [disk, null],
      // It says which round wrote it, and stands for the same disk.
      [dataSource, await tree.oid(dataSource)],
    ])
    const written = changesIn(outcome).find(({ path }) => path === dataSource)?.content
    expect(written).toBe((await tree.read(dataSource))?.replace(before.operation, begun.operation))
  })

  it('says all that the request says of it, in words that its schema accepts', async () => {
    const said: Partial<ImageRequest> = {
      ...{ ticket: 'CHG-1', storageClass: 'fast', source: { dataSource: 'rhel9', namespace: 'os-images' } },
      customization: { update: true },
      publish: { dataSource: 'rhel', instancetype: 'u1.small', preference: 'rhel.9' },
    }
    const run = making('import', said, { imageVersion: 'pvc os-images/rhel9-1' })
    const image = imageIn(await building(run))
    expect(check(GoldenImage, image, 'the image')).toMatchObject({ ok: true })
    expect(image?.dataSource).toBe('rhel')
    expect(image?.work?.build).toEqual({
      ...made,
      ...{ ticket: 'CHG-1', storageClass: 'fast', instancetype: 'u1.small', preference: 'rhel.9' },
      source: { dataSource: 'rhel9', namespace: 'os-images' },
      version: 'pvc os-images/rhel9-1',
      customization: `sha256:${createHash('sha256').update('{"update":true}').digest('hex')}`,
    })
  })

  it.each<[string, string, number]>([
    ['as long as the run has', '2030-01-01T10:30:59.900Z', 1859],
    ['a minute at least', '2030-01-01T10:00:05.000Z', 60],
  ])('has %s', async (_, deadline, deadlineSeconds) => {
    const outcome = await building(making('import', {}, {}, { deadline }))
    expect(imageIn(outcome)?.work?.deadlineSeconds).toBe(deadlineSeconds)
  })

  it.each<[string, Partial<ImageRequest>, BuildSettings]>([
    [
      'push is asked for, and DROVER_PUSH_IMAGE does not say which container image pushes',
      { push: target },
      buildSettings,
    ],
    [
      'customizationName is "hardening", wanted a file of customizations/',
      { customizationName: 'hardening' },
      settings,
    ],
  ])('is refused before an hour has gone into it: %s', async (sentence, said, other) => {
    expect(await building(making('import', said), undefined, {}, other)).toEqual(refusal(sentence))
  })
})

describe('the secrets of a golden image', () => {
  it('are those that the request says, in the place of others of their name, beside those that stay', async () => {
    const stays = { ...token, name: 'pull' }
    const image = { ...begun, secrets: [{ ...token, store: 'old' }, stays] }
    const outcome = await building(making('secrets', { secrets: [token] }), image)
    expect(imageIn(outcome)?.secrets).toEqual([stays, token])
  })

  it('are nothing to change where the request says none', async () => {
    expect(await building(making('secrets'), begun)).toEqual({
      kind: 'succeeded',
      message: 'Nothing to change for image rhel9',
      facts: { image: begun },
      changes: [],
    })
  })
})

describe('the customization of a golden image', () => {
  const hardening = { [customizationFile('hardening')]: 'description: x\nguest: linux\ndisk:\n  timezone: UTC\n' }

  it.each<[string, Partial<ImageRequest>, Facts, Partial<Work>]>([
    [
      'as the request says, on a claim that is mounted as it is',
      { customization: { update: true } },
      { volumeMode: 'Block' },
      { volumeMode: 'Block', customize: { ...settings.guestfs, sealed: true, customization: { update: true } } },
    ],
    [
      'as a file of the fleet says',
      { customizationName: 'hardening' },
      {},
      { customize: { ...settings.guestfs, sealed: true, customization: { timezone: 'UTC' } } },
    ],
  ])('is done by a Job %s', async (_, said, facts, more) => {
    const outcome = await building(making('customize', said, facts), begun, hardening)
    expect(imageIn(outcome)).toEqual({ ...begun, operation: `${id}.customize`, work: { ...work, ...more } })
    expect(changesIn(outcome).map(({ path }) => path)).toContain(
      `${imageManifestsFolder('rhel9')}/job-rhel9-01234567-customize.yaml`,
    )
  })

  it('is nothing to change where the request says none', async () => {
    expect(changesIn(await building(making('customize'), begun))).toEqual([])
  })

  it('is refused where its file says nothing of disks by now', async () => {
    const plain = { [customizationFile('hardening')]: 'description: x\nguest: linux\n' }
    expect(await building(making('customize', { customizationName: 'hardening' }), begun, plain)).toEqual(
      refusal('customizations/hardening.yaml says nothing of disks, wanted its field "disk"'),
    )
  })
})

describe('the push of a golden image', () => {
  it('is done by a Job, where the request says to', async () => {
    const outcome = await building(making('push', { push: target }, { volumeMode: 'Filesystem' }), begun)
    expect(imageIn(outcome)?.work).toEqual({
      ...work,
      volumeMode: 'Filesystem',
      push: { ...target, image: 'registry.example.com/push:1' },
    })
    expect(changesIn(outcome).map(({ path }) => path)).toContain(
      `${imageManifestsFolder('rhel9')}/job-rhel9-01234567-push.yaml`,
    )
  })

  it('is nothing to change where the request says none', async () => {
    expect(changesIn(await building(making('push'), begun))).toEqual([])
  })

  it('is refused where nobody says by now which container image pushes', async () => {
    expect(await building(making('push', { push: target }), begun, {}, buildSettings)).toEqual(
      refusal('push is asked for, and DROVER_PUSH_IMAGE does not say which container image pushes'),
    )
  })
})

describe('the publication of a golden image', () => {
  const digest = `sha256:${'d'.repeat(64)}`
  const follow = { schedule: '30 2 * * 0' }
  const published = async (said: Partial<ImageRequest>, facts: Facts = {}, image: GoldenImage = begun) =>
    imageIn(await building(making('publish', said, facts), image))

  it('puts the new disk in the place of the latest, which becomes the first of the old ones', async () => {
    expect(await published({})).toEqual({
      ...begun,
      operation: `${id}.publish`,
      current: made,
      older: [before.current, ...before.older],
    })
  })

  it('of the first disk leaves no old one', async () => {
    const { current: _, ...first } = { ...begun, older: [] }
    expect(await published({}, {}, first)).toMatchObject({ current: made, older: [] })
  })

  it.each([
    [undefined, 3],
    [0, 0],
  ])('keeps as many old ones as are asked for: %s', async (keep, kept) => {
    const image = await published({ publish: keep === undefined ? {} : { keep } }, {}, { ...begun, keep: 7 })
    expect(image?.keep).toBe(kept)
  })

  it('says what was pushed, and follows the tag where that is asked for', async () => {
    const image = await published({ push: target, publish: { follow } }, { digest })
    expect(image).toMatchObject({
      current: { ...made, pushed: { ...target, digest } },
      follow: { ...follow, ...target },
    })
    expect(await published({ push: target }, { digest })).not.toHaveProperty('follow')
  })

  it.each<[string, Partial<ImageRequest>, Facts]>([
    ['that was not asked for', { publish: { follow } }, { digest }],
    ['that came to nothing', { publish: { follow }, push: target }, {}],
  ])('follows no tag of a push %s, nor the one that it followed before', async (_, said, facts) => {
    const image = await published(said, facts, { ...begun, follow: { ...follow, ...target } })
    expect(image).not.toHaveProperty('follow')
    expect(image?.current).toEqual(made)
  })
})

describe('a round on a golden image', () => {
  it('is not made twice: at a second delivery after its commit nothing is to change', async () => {
    const run = making('publish')
    const fleet = await fleetHolding(run, begun)
    const outcome = await buildImage(run, await fleet.head(), settings)
    await commit(fleet, run, outcome)
    expect(await buildImage(run, await fleet.head(), settings)).toEqual({
      kind: 'succeeded',
      message: 'Nothing to change for image rhel9',
      facts: { image: imageIn(outcome) },
      changes: [],
    })
  })

  it.each<[string, string | null, string]>([
    ['edited', 'kind: DataVolume\n', disk],
    ['removed', null, disk],
    ['added', 'kind: ConfigMap\n', `${imageManifestsFolder('rhel9')}/configmap-mine.yaml`],
  ])('is refused where a manifest was %s by hand', async (_, text, path) => {
    expect(await building(making('publish'), begun, { [path]: text })).toEqual(
      refusal(`${path} is not what the definition renders to: put it right by hand first`),
    )
  })

  it('says what was edited by hand and what cannot be done in one sentence', async () => {
    expect(await building(making('push', { push: target }), begun, { [disk]: null }, buildSettings)).toEqual(
      refusal(
        `${disk} is not what the definition renders to: put it right by hand first; push is asked for, and DROVER_PUSH_IMAGE does not say which container image pushes`,
      ),
    )
  })

  it('is refused where the definition cannot be read', async () => {
    const { message } = await building(making('publish'), begun, { [values]: toYaml({ ...begun, keep: 'all' }) })
    expect(message).toMatch(/^Cannot change image rhel9: images\/rhel9\/image.yaml: keep is "all"/)
  })

  it.each<[string, object | null, string]>([
    ['that has ended', null, `Run ${id} has ended: there is nothing to build`],
    ['that is being undone', { state: 'undoing' }, `Run ${id} has ended: there is nothing to build`],
    ['that is further', { task: 'publish.commit' }, `Run ${id} is further than import: its event comes too late`],
  ])('is not built for a run %s', async (_, change, message) => {
    const run = making('import')
    const fleet = await fleetHolding(run)
    const record = parseYaml((await fleet.files())[runFile(id)] ?? '') as object
    fleet.put({ [runFile(id)]: change && toYaml({ ...record, ...change }) })
    expect(await buildImage(run, await fleet.head(), settings)).toEqual({ kind: 'ignored', message })
  })

  it.each<[string, Run]>([
    ['Cannot build hold: run 0123456789abcdef0123 holds no image', { ...making('import'), task: 'hold' }],
    ['Cannot build stop.build: run 0123456789abcdef0123 holds no image', { ...making('import'), task: 'stop.build' }],
    ['Cannot build import.build: run 0123456789abcdef0123 holds no image', { ...making('import'), facts: {} }],
  ])('is no event of ours: %s', async (message, run) => {
    await expect(building(run)).rejects.toMatchObject({ reason: 'unreadable', message })
  })

  it.each<[string, GoldenImage | undefined]>([
    ['there is no image', undefined],
    ['no run has begun', before],
    ['another run has begun', { ...begun, work: { ...work, build: older('cccccccccccccccccccc') } }],
  ])('is no event of ours after the first one where %s', async (_, image) => {
    for (const round of ['secrets', 'customize', 'push', 'publish'] as const)
      await expect(building(making(round), image)).rejects.toMatchObject({
        reason: 'unreadable',
        message: `Cannot build: run ${id} has no disk in Git yet`,
      })
  })
})
