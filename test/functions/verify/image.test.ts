import { describe, expect, it } from 'vitest'
import { verifyStep } from '../../../functions/verify/step.ts'
import type { ImageView } from '../../../shared/golden-images.ts'
import type { ImageRound } from '../../../shared/lifecycles.ts'
import type { Machines } from '../../../shared/machines.ts'
import type { GoldenImage } from '../../../shared/schema/golden-image.ts'
import type { Facts, Run } from '../../../shared/step.ts'
import { runOf } from '../../examples/starter.ts'
import { build, golden } from '../../shared/images/golden.ts'
import { hereOf } from '../here.ts'
import { machinesShowing } from '../machines.ts'
import { imagesShowing, noImage } from './images.ts'
import { condition } from './views.ts'

const settings = { rootApplication: 'drover-hub', graceMilliseconds: 30_000, resolver: undefined }
const disk = 'rhel9-01234567'
const image = golden({ work: { build: build(), deadlineSeconds: 3600 } })

/** A run that makes an image, and waits for a round. */
const waiting = (round: ImageRound, facts: Facts = { image }, said: object = {}): Run =>
  runOf({
    lifecycle: 'golden-image',
    task: `${round}.verify`,
    request: { namespace: 'golden', image: 'rhel9', ...said } as Run['request'],
    facts,
  })

const verifying = (run: Run, views: Parameters<typeof imagesShowing>, here = hereOf().here, machines = claiming()) =>
  verifyStep({ machines, goldenImages: imagesShowing(...views) }, settings)(run, here)

/** A cluster whose claims are mounted as blocks. */
function claiming(asked: string[] = []): ReturnType<typeof machinesShowing> {
  const claims: Machines['claims'] = async (cluster, namespace, names) => {
    asked.push([cluster, namespace, ...names].join('/'))
    return names.map((name) => ({ metadata: { name, uid: 'u' }, spec: { volumeMode: 'Block' }, status: {} }))
  }
  return { ...machinesShowing(), claims }
}

const filling = (phase: string, message = ''): ImageView => ({
  ...noImage,
  disks: [{ metadata: { name: disk }, status: { phase, conditions: [condition('Running', 'False', message)] } }],
})

describe('a round on a golden image', () => {
  it('is passed over when the image shows a later round of the run', async () => {
    const run = waiting('import')
    const annotations = { 'drover.dev/operation': `${run.id}.publish` }
    const view: ImageView = { ...noImage, sources: [{ metadata: { name: image.dataSource, annotations } }] }
    expect(await verifying(run, [view])).toMatchObject({ kind: 'ignored' })
  })

  it('waits while the image shows what it was published by before', async () => {
    const { here, endPatience } = hereOf()
    const annotations = { 'drover.dev/operation': '0123456789abcdef.publish' }
    const view: ImageView = { ...noImage, sources: [{ metadata: { name: image.dataSource, annotations } }] }
    const goldenImages = imagesShowing(view, endPatience as never)
    const outcome = await verifyStep({ machines: claiming(), goldenImages }, settings)(waiting('import'), here)
    expect(outcome).toMatchObject({ kind: 'notYet' })
  })

  it('wakes Argo CD, tells each state, and asks the cluster once more when the disk is made', async () => {
    const { here, told } = hereOf()
    const asked: string[] = []
    const machines = claiming(asked)
    const views = [noImage, filling('ImportInProgress'), filling('Succeeded')]
    expect(await verifying(waiting('import'), views, here, machines)).toEqual({
      kind: 'succeeded',
      message: `Made disk ${disk}`,
      facts: { volumeMode: 'Block' },
    })
    expect(told).toEqual([`disk ${disk} is not there yet`, `disk ${disk} is ImportInProgress`])
    expect(asked).toEqual([`site-a/golden/${disk}`])
    expect(machines.refreshed).toEqual(['drover-hub', 'rhel9.kube-image'])
  })

  it('waits for the very image, on its cluster', async () => {
    const goldenImages = imagesShowing(filling('Succeeded'))
    await verifyStep({ machines: claiming(), goldenImages }, settings)(waiting('import'), hereOf().here)
    expect(goldenImages.watched).toEqual([{ name: 'rhel9', cluster: 'site-a', namespace: 'golden' }])
  })

  it('is over where nothing else is to be asked of the cluster: the DataSource stands for the disk', async () => {
    const shown: ImageView = {
      ...noImage,
      application: { metadata: { name: 'rhel9.kube-image' }, status: { sync: { status: 'Synced', revision: 'r' } } },
      sources: [
        {
          metadata: { name: 'rhel9', annotations: { 'drover.dev/operation': image.operation } },
          status: { source: { pvc: { namespace: 'golden', name: disk } }, conditions: [condition('Ready', 'True')] },
        },
      ],
    }
    const message = `DataSource golden/rhel9 on site-a stands for disk ${disk}`
    expect(await verifying(waiting('publish', { image, revision: 'r' }), [shown])).toEqual({
      kind: 'succeeded',
      message,
      facts: { report: [message] },
    })
  })

  it('is not over when its patience ends', async () => {
    const { here, endPatience } = hereOf()
    expect(await verifying(waiting('import'), [filling('ImportInProgress'), endPatience], here)).toEqual({
      kind: 'notYet',
      message: `Still waiting for image rhel9: disk ${disk} is ImportInProgress`,
    })
  })

  const failedJob = (name: string): ImageView => ({
    ...noImage,
    jobs: [{ metadata: { name: `${disk}-${name}` }, status: { conditions: [condition('Failed', 'True')] } }],
  })
  const customize = { image: 'guestfs', customization: { update: true } }
  const push = { image: 'push', repository: 'registry.example.com/x', tag: '1' }
  const busy: GoldenImage = { ...image, work: { build: build(), deadlineSeconds: 60, customize, push } }

  it.each<[ImageRound, ImageView, said: string, message: string]>([
    ['import', filling('Failed', '404'), '', `Cannot make the disk of image rhel9 on site-a: disk ${disk} failed: 404`],
    [
      'customize',
      failedJob('customize'),
      '{"reason":"no space"}',
      `Cannot customize the disk of image rhel9 on site-a: Job ${disk}-customize failed: no space`,
    ],
    [
      'push',
      failedJob('push'),
      'the registry says 401',
      `Cannot push image rhel9 on site-a: Job ${disk}-push failed: the registry says 401`,
    ],
  ])('fails with what could not be done and why: %s', async (round, view, said, message) => {
    const machines = { ...claiming(), lastWords: async () => said }
    const outcome = await verifying(waiting(round, { image: busy }), [view], hereOf().here, machines)
    expect(outcome).toEqual({ kind: 'refused', message, facts: {} })
  })

  it.each<[string, Run]>([
    ['hold', { ...waiting('import'), task: 'hold' }],
    ['stop.verify', { ...waiting('import'), task: 'stop.verify' }],
    ['import.verify', waiting('import', {})],
    ['publish.verify', waiting('publish', { image: golden() })],
  ])('is no event of ours without an image in the making: %s', async (task, run) => {
    await expect(verifying(run, [noImage])).rejects.toMatchObject({
      reason: 'unreadable',
      message: `Cannot wait: ${task} of run ${run.id} has no image`,
    })
  })
})

describe('a plan of a golden image', () => {
  const old = (digit: string, kept = false) => build({ name: `rhel9-${digit.repeat(8)}`, ...(kept && { kept }) })
  const published: GoldenImage = { ...image, keep: 1, current: build(), older: [old('a'), old('b'), old('c', true)] }
  const planned = (round: ImageRound, facts: Facts) =>
    verifyStep(
      { machines: machinesShowing(), goldenImages: { watch: () => expect.fail('nothing is there to wait for') } },
      settings,
    )(waiting(round, facts, { plan: true }), hereOf().here)

  it.each<[string, ImageRound, Facts, string[]]>([
    [
      'what the DataSource would stand for, and which old disks would be removed',
      'publish',
      { image: published, report: ['before'] },
      ['before', `DataSource golden/rhel9 stands for disk ${disk}`, 'removed: rhel9-bbbbbbbb'],
    ],
    [
      'that none would be removed, by saying nothing of it',
      'publish',
      { image: { ...published, keep: 2 } },
      [`DataSource golden/rhel9 stands for disk ${disk}`],
    ],
    ['nothing of a round before the last', 'import', { image: published, report: ['before'] }, ['before']],
    ['nothing where nothing was said', 'import', { image: published }, []],
  ])('says %s', async (_, round, facts, report) => {
    expect(await planned(round, facts)).toEqual({ kind: 'succeeded', message: 'Would wait for it', facts: { report } })
  })

  it('names all old disks that would be removed', async () => {
    const outcome = await planned('publish', { image: { ...published, keep: 0 } })
    expect(outcome).toMatchObject({
      facts: { report: [expect.any(String), 'removed: rhel9-aaaaaaaa, rhel9-bbbbbbbb'] },
    })
  })
})
