import { describe, expect, it } from 'vitest'
import { leftOf } from '../../../functions/recover/left.ts'
import type { LifecycleName } from '../../../shared/lifecycles.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import type { Facts } from '../../../shared/step.ts'
import { databaseServer } from '../../shared/kubevirt/definitions.ts'
import { changing, fleetHaving } from '../changes.ts'

const server = databaseServer()
const until = '2030-01-08T10:00:00.000Z'
const { id } = changing('patch', {}, 'undo')
const spare = { size: '30Gi', image: server.image, until }
const [data, ...others] = server.disks
const taken = { run: id, disks: [], taken: '2030-01-01T10:00:00.000Z' }

describe('what an undo leaves', () => {
  it.each<[string, LifecycleName, object, Facts, Partial<Definition>, string]>([
    ['is nothing of a machine that is as it was', 'patch', {}, {}, {}, ''],
    [
      'is not what another run has left',
      'patch',
      {},
      {},
      { oldRoots: [{ ...spare, name: 'db-01-root-ffffffff' }] },
      '',
    ],
    [
      'is told of one that was not ready before',
      'power',
      { action: 'restart' },
      { wasReady: false },
      {},
      '. The machine was not ready before either',
    ],
    [
      'is told of one whose agent did not speak before',
      'patch',
      {},
      { hadAgent: false },
      {},
      '. Its guest agent did not speak before either',
    ],
    [
      'is the root disk that was made anew, and the one that was changed',
      'patch',
      {},
      {},
      {
        rootDisk: { size: '30Gi', name: `db-01-root-undo-${id.slice(0, 8)}`, snapshot: 'vs-root' },
        oldRoots: [{ ...spare, name: 'db-01-root-71f75f7d' }],
      },
      `. Its root disk is db-01-root-undo-01234567, made from its snapshot; the one that was changed, db-01-root-71f75f7d, is kept until ${until}`,
    ],
    [
      'is the root disk of a restore that a guest may have written to',
      'restore',
      { snapshot: 'clean' },
      { restoring: 'new disks' },
      { oldRoots: [{ ...spare, name: 'db-01-root-01234567' }] },
      `. The root disk that was made for it, db-01-root-01234567, is kept until ${until}`,
    ],
    [
      'are disks that have grown, in whatever words',
      'resize',
      { grow: { root: '40Gi', data: '300Gi', wal: '30Gi' } },
      {},
      {
        rootDisk: { ...server.rootDisk, size: '40960Mi', made: '30Gi' },
        disks: [{ name: 'data', ...data, size: '300Gi', made: '200Gi' }, ...others],
      },
      '. What has grown stays so: root 40960Mi, data 300Gi',
    ],
    [
      'is a snapshot of what a guest had written',
      'restore',
      { snapshot: 'clean' },
      {},
      { snapshots: [{ ...taken, name: 'db-01-undone-01234567', purpose: 'asked', until }] },
      '. What was written to its disks until then is in snapshot db-01-undone-01234567',
    ],
    [
      'is a snapshot that may be all there is',
      'patch',
      {},
      {},
      { snapshots: [{ ...taken, name: 'db-01-undo-01234567', purpose: 'undo' }] },
      '. Snapshot db-01-undo-01234567 stays until somebody lets it go: what is in it may be nowhere else',
    ],
  ])('%s', async (_, lifecycle, request, facts, now, sentences) => {
    const run = changing(lifecycle, request, 'undo', {
      facts: { name: server.name, cluster: server.cluster, ...facts },
    })
    expect(await leftOf(run, await fleetHaving({ ...server, ...now }))).toBe(sentences)
  })

  it('is nothing that could be told before there is a machine', async () => {
    expect(await leftOf(changing('patch', {}, 'undo', { facts: {} }), await fleetHaving(server))).toBe('')
    const gone = changing('patch', {}, 'undo', { facts: { name: 'db-02', cluster: 'site-a' } })
    expect(await leftOf(gone, await fleetHaving(server))).toBe('')
  })
})
