import { describe, expect, it } from 'vitest'
import type { HoldClients } from '../../../functions/locate/hold.ts'
import { locateStep } from '../../../functions/locate/step.ts'
import type { DataSource } from '../../../shared/golden-images.ts'
import type { ManagedCluster } from '../../../shared/hub.ts'
import { readRecord } from '../../../shared/ledger.ts'
import { toLock } from '../../../shared/lock.ts'
import { imageFile, imageLockFile, runFile } from '../../../shared/paths.ts'
import type { ImageRequest } from '../../../shared/schema/requests.ts'
import type { Run } from '../../../shared/step.ts'
import { toYaml } from '../../../shared/yaml.ts'
import { runOf } from '../../examples/starter.ts'
import { type MemoryFleet, memoryFleet } from '../../fleet.ts'
import { golden } from '../../shared/images/golden.ts'
import { hereOf } from '../here.ts'
import { machinesShowing } from '../machines.ts'

const url = { url: 'https://cloud.example.com/rhel9.qcow2' }
const request = (change: Partial<ImageRequest> = {}): ImageRequest => ({
  namespace: 'golden',
  image: 'rhel9',
  cluster: 'site-a',
  source: url,
  size: '30Gi',
  ...change,
})
const holding = (change: Partial<ImageRequest> = {}, run: Partial<Run> = {}): Run =>
  runOf({ lifecycle: 'golden-image', task: 'hold', request: request(change) as Run['request'], ...run })

const source = (image?: string): DataSource => ({
  metadata: { name: 'rhel9', ...(image ? { labels: { 'drover.dev/image': image } } : {}) },
})

interface There {
  cluster?: ManagedCluster
  dataSources?: Record<string, DataSource>
  version?: string | undefined
}

/** What the hub and the cluster answer; who is asked for something else answers that there is none. */
const clients = ({ cluster = { accepted: true }, dataSources = {}, version }: There): HoldClients => ({
  hub: { managedCluster: async (name) => (name === 'site-a' ? cluster : undefined) },
  goldenImages: {
    dataSource: async (...where) => dataSources[where.join('/')],
    version: async (...where) => (where.join('/') === 'site-a/os-images/rhel9' ? version : undefined),
  },
})

const hold = (run: Run, fleet: MemoryFleet, there: There = {}) =>
  locateStep(fleet, { ...clients(there), machines: machinesShowing() })(run, hereOf().here)

const other = 'ffffffffffffffffffff'
/** Another run of this image that goes on. */
const held = (): Record<string, string> => ({
  [imageLockFile('rhel9')]: toLock(holding({}, { id: other, requester: 'bob' })),
  [runFile(other)]: toYaml({ run: other, state: 'running' }),
})

describe('a golden image', () => {
  it('is held by a lock and a record, in one commit', async () => {
    const fleet = memoryFleet()
    const run = holding()
    expect(await hold(run, fleet)).toEqual({
      kind: 'succeeded',
      message: 'Hold image golden/rhel9 on site-a',
      facts: { name: 'rhel9', cluster: 'site-a' },
    })
    expect(fleet.commits.map(({ subject }) => subject)).toEqual([`Hold image rhel9 for run ${run.id}`])
    expect(fleet.commits[0]?.trailers).toMatchObject({ run: run.id, step: 'hold', lifecycle: 'golden-image' })
    expect((await fleet.files())[imageLockFile('rhel9')]).toBe(toLock(run))
    expect(await readRecord(await fleet.head(), run.id)).toMatchObject({
      task: 'hold',
      facts: { name: 'rhel9', cluster: 'site-a' },
      wrote: { [imageLockFile('rhel9')]: { before: null } },
    })
  })

  it('is held once, however often it is asked for', async () => {
    const fleet = memoryFleet()
    const first = await hold(holding(), fleet)
    expect(await hold(holding(), fleet)).toEqual(first)
    expect(fleet.commits).toHaveLength(1)
  })

  it('is not what a request of the same source and id about another image is about', async () => {
    const fleet = memoryFleet()
    await hold(holding(), fleet)
    expect(await hold(holding({ image: 'rhel10' }), fleet)).toEqual({
      kind: 'ignored',
      message: `Run ${holding().id} is that of another request: its source and id were used before`,
    })
    expect(fleet.commits).toHaveLength(1)
  })

  it('is not held again by a run that is being undone', async () => {
    const run = holding()
    const fleet = memoryFleet({ [runFile(run.id)]: toYaml({ run: run.id, state: 'undoing' }) })
    expect(await hold(run, fleet)).toEqual({
      kind: 'ignored',
      message: `Run ${run.id} has ended: it holds nothing again`,
    })
    expect(fleet.commits).toEqual([])
  })

  it('that another run holds is refused, or waited for where the request says so', async () => {
    const says = `image rhel9 is held by run ${other}: a golden-image that bob asked for at 2030-01-01T10:00:00.000Z`
    expect(await hold(holding(), memoryFleet(held()))).toEqual({
      ...{ kind: 'refused', facts: {} },
      message: `Cannot hold the image: ${says}`,
    })
    const waiting = await hold(holding({ wait: true }), memoryFleet(held()))
    expect(waiting).toEqual({ kind: 'notYet', message: says })
  })

  it('that there is may be made again', async () => {
    const fleet = memoryFleet({ [imageFile('rhel9')]: toYaml(golden()) })
    expect(await hold(holding(), fleet)).toMatchObject({ kind: 'succeeded' })
    const named = memoryFleet({ [imageFile('rhel9')]: toYaml(golden({ dataSource: 'rhel' })) })
    expect(await hold(holding({ publish: { dataSource: 'rhel' } }), named)).toMatchObject({ kind: 'succeeded' })
  })

  it.each<[sentence: string, change: Partial<ImageRequest>, there: object]>([
    ['images/rhel9/image.yaml is the definition of another image', {}, golden({ name: 'rhel10' })],
    ['there is an image of that name already, in another namespace', {}, golden({ namespace: 'other' })],
    ['cluster is "site-a", wanted "site-b", where it is', {}, golden({ cluster: 'site-b' })],
    ['publish.dataSource is "rhel9", wanted "rhel", as it is called', {}, golden({ dataSource: 'rhel' })],
    [
      'publish.dataSource is "new", wanted "rhel9", as it is called',
      { publish: { dataSource: 'new' } },
      golden({ dataSource: 'rhel9' }),
    ],
    ['images/rhel9/image.yaml: ', {}, { name: 'rhel9' }],
  ])('is not held as another one than there is: %s', async (sentence, change, there) => {
    const fleet = memoryFleet({ [imageFile('rhel9')]: toYaml(there) })
    const outcome = await hold(holding(change), fleet)
    expect(outcome.kind).toBe('refused')
    expect(outcome.message.startsWith(`Cannot hold image rhel9: ${sentence}`)).toBe(true)
    expect(fleet.commits).toEqual([])
  })

  it('says all that is wrong with it at once', async () => {
    const fleet = memoryFleet({ [imageFile('rhel9')]: toYaml(golden({ namespace: 'other', cluster: 'site-b' })) })
    expect((await hold(holding(), fleet)).message).toBe(
      'Cannot hold image rhel9: there is an image of that name already, in another namespace; cluster is "site-a", wanted "site-b", where it is',
    )
  })
})

describe('the cluster of a golden image', () => {
  const osImages = { source: { dataSource: 'rhel9', namespace: 'os-images' } }

  it.each<[sentence: string, change: Partial<ImageRequest>, there: There]>([
    ['cluster is "site-b", wanted a ManagedCluster of the hub', { cluster: 'site-b' }, {}],
    ['cluster is "site-a", wanted a ManagedCluster that is accepted', {}, { cluster: { accepted: false } }],
    [
      "DataSource golden/rhel9 is there already and not this image's",
      {},
      { dataSources: { 'site-a/golden/rhel9': source() } },
    ],
    [
      "DataSource golden/base is there already and not this image's",
      { publish: { dataSource: 'base' } },
      { dataSources: { 'site-a/golden/base': source('rhel10') } },
    ],
    ['DataSource os-images/rhel9 stands for no disk there', osImages, {}],
  ])('is looked at: %s', async (sentence, change, there) => {
    const { cluster } = request(change)
    expect(await hold(holding(change), memoryFleet(), there)).toEqual({
      ...{ kind: 'refused', facts: {} },
      message: `Cannot make image golden/rhel9 on ${cluster}: ${sentence}`,
    })
  })

  it("may have the image's own DataSource, and one of that name elsewhere", async () => {
    const dataSources = { 'site-a/golden/rhel9': source('rhel9'), 'site-b/golden/rhel9': source() }
    expect(await hold(holding(), memoryFleet(), { dataSources })).toMatchObject({ kind: 'succeeded' })
  })

  it('says which disk the image is made from', async () => {
    expect(await hold(holding(osImages), memoryFleet(), { version: 'pvc os-images/rhel9-1' })).toMatchObject({
      facts: { name: 'rhel9', cluster: 'site-a', imageVersion: 'pvc os-images/rhel9-1' },
    })
    expect(await hold(holding(), memoryFleet(), { version: 'pvc os-images/rhel9-1' })).toMatchObject({
      facts: { name: 'rhel9', cluster: 'site-a' },
    })
  })
})
