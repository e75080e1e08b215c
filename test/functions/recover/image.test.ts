import { describe, expect, it } from 'vitest'
import { type Clients, undo } from '../../../functions/recover/undo.ts'
import type { ImageView } from '../../../shared/golden-images.ts'
import { readRecord, recorded, trailersOf } from '../../../shared/ledger.ts'
import { imageFile, imageLockFile, runFile } from '../../../shared/paths.ts'
import type { ImageRequest } from '../../../shared/schema/requests.ts'
import type { Facts, Run } from '../../../shared/step.ts'
import { runOf } from '../../examples/starter.ts'
import { type MemoryFleet, memoryFleet } from '../../fleet.ts'
import { gitops } from '../changes.ts'
import { hereOf } from '../here.ts'
import { machinesShowing } from '../machines.ts'
import { imagesShowing, noImage } from '../verify/images.ts'

const values = imageFile('rhel9')
const lock = imageLockFile('rhel9')
const disk = 'rhel9-01234567'
const push = { repository: 'registry.example.com/golden/rhel9', tag: 'latest' }

/** A run that has failed while it made an image. */
function failed(said: Partial<ImageRequest> = {}, facts: Facts = {}, task = 'customize.verify'): Run {
  const source = { url: 'https://cloud.example.com/rhel9.qcow2' }
  return runOf({
    lifecycle: 'golden-image',
    task: 'undo',
    request: { namespace: 'golden', image: 'rhel9', cluster: 'site-a', source, size: '30Gi', ...said },
    facts: { name: 'rhel9', cluster: 'site-a', ...facts },
    failure: { task, title: 'Wait until the disk is customized', message: 'Cannot customize it' },
  })
}

/** A fleet in which the run holds the image, and has made these commits. */
async function fleetAfter(run: Run, steps: string[], before: Record<string, string> = {}): Promise<MemoryFleet> {
  const fleet = memoryFleet(before)
  for (const task of ['hold', ...steps]) {
    const path = task === 'hold' ? lock : values
    const by = { ...run, task }
    await fleet.transact({
      subject: task,
      trailers: trailersOf(by),
      decide: async (tree) => ({
        changes: await recorded(tree, by, run.facts, [{ path, content: `${task}\n` }]),
        value: undefined,
      }),
    })
  }
  return fleet
}

const clientsOf = (fleet: MemoryFleet, change: Partial<Clients> = {}): Clients => ({
  fleet,
  machines: machinesShowing(),
  goldenImages: imagesShowing(noImage),
  rootApplication: 'drover-hub',
  undoMinutes: 15,
  gitops,
  cmdb: undefined,
  ...change,
})

const named = (...names: string[]) => names.map((name) => ({ metadata: { name } }))
const standingFor = (name: string) => ({
  metadata: { name: 'rhel9' },
  spec: { source: { pvc: { namespace: 'golden', name } } },
})
const application = { metadata: { name: 'rhel9.kube-image' } }

const back = (rest = '') => ({
  kind: 'succeeded',
  message: `Everything was put back after: Cannot customize it${rest}`,
  facts: { kept: [] },
})

describe('the undo of a golden image', () => {
  it('gives the image back only when the cluster has nothing more of it', async () => {
    const run = failed()
    const fleet = await fleetAfter(run, ['import.commit'])
    const whole: ImageView = {
      ...noImage,
      application,
      disks: named(disk),
      jobs: named(`${disk}-customize`),
      sources: [standingFor(disk)],
      secrets: named('token'),
    }
    const asCommitted: object[] = []
    const look = async () => asCommitted.push(Object.keys(await fleet.files()))
    const goldenImages = imagesShowing(whole, look, { ...noImage, disks: named(disk) }, noImage)
    const machines = machinesShowing()
    const { here, told } = hereOf()
    expect(await undo(run, clientsOf(fleet, { goldenImages, machines }), here)).toEqual(back())
    expect(told).toEqual([
      `site-a still has ${disk}, ${disk}-customize, DataSource rhel9, its Application, token of image rhel9`,
      `site-a still has ${disk} of image rhel9`,
    ])
    expect(asCommitted).toEqual([[lock, runFile(run.id)]])
    expect(await fleet.files()).toEqual({})
    expect(goldenImages.watched).toEqual([{ name: 'rhel9', cluster: 'site-a', namespace: 'golden' }])
    expect(machines.refreshed).toEqual(['drover-hub', 'drover-hub'])
  })

  it('leaves an image that there was before as it was, with all that others have made of it', async () => {
    const run = failed()
    const fleet = await fleetAfter(run, ['import.commit'], { [values]: 'before\n' })
    const asBefore: ImageView = {
      ...noImage,
      application,
      disks: named('rhel9-aaaaaaaa'),
      jobs: named('rhel9-aaaaaaaa-push'),
      sources: [
        standingFor('rhel9-aaaaaaaa'),
        { metadata: { name: 'rhel9-latest' } },
        { metadata: { name: 'rhel9-new' }, spec: {} },
        { metadata: { name: 'rhel9-snapshot' }, spec: { source: { snapshot: { namespace: 'golden', name: disk } } } },
      ],
      secrets: named('token'),
    }
    const machines = machinesShowing()
    const { here, told } = hereOf()
    expect(await undo(run, clientsOf(fleet, { goldenImages: imagesShowing(asBefore), machines }), here)).toEqual(back())
    expect(told).toEqual([])
    expect(await fleet.files()).toEqual({ [values]: 'before\n' })
    expect(machines.refreshed).toEqual(['drover-hub', 'rhel9.kube-image', 'drover-hub'])
  })

  it.each(['drover-hub', 'rhel9.kube-image'])('waits until Argo CD has looked at Git since for %s', async (late) => {
    const run = failed()
    const fleet = await fleetAfter(run, ['import.commit'], { [values]: 'before\n' })
    const machines = { ...machinesShowing(), settle: async (one: string) => one !== late }
    const goldenImages = { watch: () => expect.fail('Argo CD may still make what is not there yet') }
    expect(await undo(run, clientsOf(fleet, { machines, goldenImages }), hereOf().here)).toEqual({
      kind: 'notYet',
      message: 'Still undoing: Argo CD has not looked at Git since, for image rhel9',
    })
    expect((await readRecord(await fleet.head(), run.id))?.state).toBe('undoing')
  })

  it.each<[string, ImageView[], string]>([
    ['what the cluster still has', [{ ...noImage, disks: named(disk) }], disk],
    ['that it has something, where it has not said what', [], 'something'],
  ])('says when its patience ends %s', async (_, views, left) => {
    const run = failed()
    const fleet = await fleetAfter(run, ['import.commit'])
    const { here, endPatience } = hereOf()
    const goldenImages = imagesShowing(...views, endPatience)
    expect(await undo(run, clientsOf(fleet, { goldenImages }), here)).toEqual({
      kind: 'notYet',
      message: `Still undoing: site-a still has ${left} of image rhel9`,
    })
    expect(await fleet.files()).toHaveProperty([lock])
  })

  it('asks no cluster before the first disk is in Git, for there may be none of that name', async () => {
    const run = failed({}, {}, 'import.build')
    const fleet = await fleetAfter(run, [])
    const machines = { ...machinesShowing(), settle: () => expect.fail('nothing is to be seen there') }
    const goldenImages = { watch: () => expect.fail('nothing is to be seen there') }
    expect(await undo(run, clientsOf(fleet, { machines, goldenImages }), hereOf().here)).toEqual(back())
    expect(await fleet.files()).toEqual({})
  })

  const digest = `sha256:${'d'.repeat(64)}`
  it.each<[string, Partial<ImageRequest>, Facts, string[], string]>([
    [
      'the image that was pushed',
      { push },
      { digest },
      ['push.commit'],
      `. The image ${digest} that was pushed stays in the registry, as registry.example.com/golden/rhel9:latest`,
    ],
    [
      'what may have been pushed by a Job that has not said',
      { push },
      {},
      ['push.commit'],
      '. What may have been pushed stays in the registry, as registry.example.com/golden/rhel9:latest',
    ],
    ['nothing where no Job was told to push', { push }, {}, [], ''],
    ['nothing where no push was asked for', {}, {}, ['push.commit'], ''],
  ])('names what stays in the registry, at every delivery: %s', async (_, said, facts, steps, rest) => {
    const run = failed(said, facts, 'push.verify')
    const fleet = await fleetAfter(run, ['import.commit', ...steps])
    expect(await undo(run, clientsOf(fleet), hereOf().here)).toEqual(back(rest))
    expect(await undo(run, clientsOf(fleet), hereOf().here)).toEqual(back(rest))
    expect(fleet.commits.map(({ trailers }) => trailers.step).slice(-2)).toEqual(['undo', 'undone'])
  })

  it('says that an image is complete where only the answer that said so was lost', async () => {
    const run = failed({}, {}, 'complete')
    const fleet = await fleetAfter(run, ['import.commit', 'complete'])
    fleet.put({ [runFile(run.id)]: null })
    expect(await undo(run, clientsOf(fleet), hereOf().here)).toEqual({
      kind: 'succeeded',
      message:
        'The golden-image of image rhel9 is complete, and nothing was undone: only an answer that says so was lost',
      end: 'completed',
    })
  })
})
