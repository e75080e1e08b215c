import { describe, expect, it } from 'vitest'
import { imageGoals } from '../../../shared/goals/image.ts'
import type { ImageView } from '../../../shared/golden-images.ts'
import type { ImageRound } from '../../../shared/lifecycles.ts'
import type { GoldenImage, Work } from '../../../shared/schema/golden-image.ts'
import type { Facts } from '../../../shared/step.ts'
import { build, golden } from '../images/golden.ts'

const work: Work = {
  build: build(),
  deadlineSeconds: 60,
  customize: { image: 'guestfs', customization: {} },
  push: { image: 'drover', repository: 'registry.example.com/x', tag: '1' },
}
const idle: Work = { build: build(), deadlineSeconds: 60 }
const nothing: ImageView = { application: undefined, disks: [], secrets: [], jobs: [], sources: [], crons: [] }
const view = (rest: Partial<ImageView> = {}): ImageView => ({ ...nothing, ...rest })
const named = (name: string, status: object = {}, metadata: object = {}) => ({
  metadata: { name, ...metadata },
  status,
})
const condition = (type: string, status: string, reason = '', message = '') => ({ type, status, reason, message })
const disk = (phase: string, conditions: object[] = []) =>
  view({ disks: [named('rhel9-01234567', { phase, conditions })] as never })
const job = (name: string, ...conditions: string[]) =>
  view({
    jobs: [named(`rhel9-01234567-${name}`, { conditions: conditions.map((one) => condition(one, 'True')) })] as never,
  })
const secret = { name: 's', store: 'vault', data: { a: { key: 'b' } } }
const made = golden({ secrets: [secret] })
const withSecret = (...conditions: object[]) => view({ secrets: [named('s', { conditions })] as never })
const synced = { metadata: { name: 'rhel9.kube-image' }, status: { sync: { status: 'Synced', revision: 'r' } } }
const followed = golden({ follow: { schedule: '0 0 * * 0', repository: 'x/y', tag: '1' } })
const source = (name: string, ready = 'True', operation = golden().operation): Partial<ImageView> => ({
  application: synced,
  sources: [
    named(
      'rhel9',
      { source: { pvc: { namespace: 'golden', name } }, conditions: [condition('Ready', ready, '', 'why')] },
      { annotations: { 'drover.dev/operation': operation } },
    ),
  ] as never,
})

const aim = (image: GoldenImage, facts: Facts = {}) => ({ image, revision: 'r', facts })

describe('a round on a golden image', () => {
  it.each<
    [what: string, round: ImageRound, image: GoldenImage, of: Work, shown: ImageView, state: string, says: string]
  >([
    ['import: waits for the disk', 'import', golden(), work, nothing, 'waiting', 'is not there yet'],
    [
      'import: waits while it is made',
      'import',
      golden(),
      work,
      disk('ImportInProgress'),
      'waiting',
      'ImportInProgress',
    ],
    [
      'import: waits for one that waits for a machine',
      'import',
      golden(),
      work,
      disk('PendingPopulation'),
      'waiting',
      'PendingPopulation',
    ],
    ['import: is over', 'import', golden(), work, disk('Succeeded'), 'reached', 'Made disk'],
    ['import: fails', 'import', golden(), work, disk('Failed'), 'failed', 'failed'],
    [
      'import: is troubled by an error that may pass',
      'import',
      golden(),
      work,
      disk('ImportInProgress', [condition('Running', 'False', 'Error', '404')]),
      'troubled',
      '404',
    ],
    ['secrets: has none to wait for', 'secrets', golden(), work, nothing, 'reached', 'No secrets'],
    ['secrets: waits for one', 'secrets', made, work, nothing, 'waiting', 'ExternalSecret s'],
    ['secrets: waits for its sync', 'secrets', made, work, withSecret(), 'waiting', 'not synced yet'],
    [
      'secrets: is troubled by a store that has not got it',
      'secrets',
      made,
      work,
      withSecret(condition('Ready', 'False', 'SecretSyncedError', 'no such key')),
      'troubled',
      'no such key',
    ],
    [
      'secrets: is over',
      'secrets',
      made,
      work,
      withSecret(condition('Ready', 'True', 'SecretSynced')),
      'reached',
      '1 secrets',
    ],
    ['customize: has nothing to do', 'customize', golden(), idle, nothing, 'reached', 'Nothing'],
    ['customize: waits for the Job', 'customize', golden(), work, nothing, 'waiting', 'is not there yet'],
    ['customize: waits while it works', 'customize', golden(), work, job('customize'), 'waiting', 'works on the disk'],
    [
      'customize: asks a Job that has ended',
      'customize',
      golden(),
      work,
      job('customize', 'Failed'),
      'reached',
      'ended',
    ],
    ['push: has nothing to do', 'push', golden(), idle, nothing, 'reached', 'not to be pushed'],
    ['push: waits while it pushes', 'push', golden(), work, job('push'), 'waiting', 'pushes the image'],
    ['publish: waits for the DataSource', 'publish', golden(), work, nothing, 'waiting', 'is not there yet'],
    [
      'publish: does not believe a DataSource of the run before',
      'publish',
      golden(),
      work,
      view(source('rhel9-01234567', 'True', 'other.publish')),
      'waiting',
      'does not show this commit',
    ],
    [
      'publish: waits until it stands for this disk',
      'publish',
      golden(),
      work,
      view(source('rhel9-before')),
      'waiting',
      'is not ready',
    ],
    [
      'publish: waits until it is ready',
      'publish',
      golden(),
      work,
      view(source('rhel9-01234567', 'False')),
      'waiting',
      'why',
    ],
    ['publish: is over', 'publish', golden(), work, view(source('rhel9-01234567')), 'reached', 'stands for disk'],
    [
      'publish: waits for what follows the tag',
      'publish',
      followed,
      work,
      view(source('rhel9-01234567')),
      'waiting',
      'DataImportCron rhel9-latest',
    ],
  ])('%s', (_, round, image, of, shown, state, says) => {
    const found = imageGoals[round].assess(shown, aim(image), of)
    expect(found).toMatchObject({ state, message: expect.stringContaining(says) })
  })

  const digest = `sha256:${'d'.repeat(64)}`
  it.each<[what: string, round: ImageRound, shown: ImageView, said: string, state: string, says: string]>([
    [
      'customize: says what changed',
      'customize',
      job('customize', 'Complete'),
      '{"before":2,"changes":1,"changed":["a 1 -> 2"],"truncated":false}',
      'reached',
      '1 packages',
    ],
    [
      'customize: says why it failed',
      'customize',
      job('customize', 'Failed'),
      '{"reason":"no disk"}',
      'failed',
      'no disk',
    ],
    ['customize: waits for the words', 'customize', job('customize', 'Complete'), '', 'waiting', 'has not said how'],
    ['push: knows the digest', 'push', job('push', 'Complete'), `{"digest":"${digest}","size":1}`, 'reached', digest],
    ['push: says why it failed', 'push', job('push', 'Failed'), 'Cannot push: 401', 'failed', '401'],
    ['push: fails with the Job where nothing was said', 'push', job('push', 'Failed'), '', 'failed', 'no reason given'],
    [
      'push: says why the Job was ended from outside',
      'push',
      view({
        jobs: [
          named('rhel9-01234567-push', {
            conditions: [condition('Failed', 'True', 'DeadlineExceeded', 'Job was active longer than its deadline')],
          }),
        ] as never,
      }),
      '',
      'failed',
      'Job rhel9-01234567-push failed: Job was active longer than its deadline',
    ],
    [
      'push: believes no digest that is none',
      'push',
      job('push', 'Complete'),
      '{"digest":"x","size":1}',
      'failed',
      'failed',
    ],
  ])('%s', async (_, round, shown, said, state, says) => {
    const asked = { lastWords: async () => said, claims: async () => [], holders: async () => [] }
    const found = await imageGoals[round].confirm?.(aim(golden()), asked, shown, work)
    expect(found).toMatchObject({ state, message: expect.stringContaining(says) })
  })

  it.each([
    [['importer-rhel9'], 'waiting', 'still held by importer-rhel9'],
    [[], 'reached', 'No secrets are to be made'],
  ])('secrets: lets no Job begin on a disk that is held by %j', async (holders, state, says) => {
    const asked = { lastWords: async () => '', claims: async () => [], holders: async () => holders }
    const found = await imageGoals.secrets.confirm?.(aim(golden()), asked, nothing, work)
    expect(found).toMatchObject({ state, message: expect.stringContaining(says) })
  })

  it('import: notes how the disk is mounted', async () => {
    const asked = {
      lastWords: async () => '',
      holders: async () => [],
      claims: async () => [{ metadata: { name: 'x', uid: 'y' }, spec: { volumeMode: 'Block' } }],
    }
    const found = await imageGoals.import.confirm?.(aim(golden()), asked, nothing, work)
    expect(found).toMatchObject({ state: 'reached', facts: { volumeMode: 'Block' } })
  })
})
