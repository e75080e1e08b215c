import { describe, expect, it } from 'vitest'
import { claimRefusals } from '../../../functions/locate/claims.ts'
import { allClaims } from '../../../shared/kubevirt/manifest.ts'
import type { LifecycleName } from '../../../shared/lifecycles.ts'
import type { Claim } from '../../../shared/machines.ts'
import { databaseServer } from '../../shared/kubevirt/definitions.ts'
import { changing } from '../changes.ts'

const server = databaseServer()
const each = (claim: Omit<Claim, 'metadata'>): Claim[] =>
  allClaims(server).map((name) => ({ metadata: { name, uid: 'u' }, ...claim }))
const refusals = (lifecycle: LifecycleName, said: object, claims: Claim[]) =>
  claimRefusals(changing(lifecycle, said, 'locate'), server, claims)

describe('a machine whose restored disks are filled when it starts', () => {
  const from = (phase: string, kind = 'VolumeSnapshot') =>
    each({ spec: { dataSource: { kind, name: 'vs' } }, status: { phase } })

  it.each<[LifecycleName, object, first: string]>([
    ['snapshot', { action: 'expire', snapshot: 'clean' }, 'db-01-root-71f75f7d'],
    ['deprovision', {}, 'db-01-data-data-4f3104'],
    ['deprovision', { destroy: ['data'] }, 'db-01-data-wal-4f3104'],
    ['resize', { detach: ['wal'] }, 'db-01-data-wal-4f3104'],
  ])('keeps its snapshots: a %s of %j is refused', (lifecycle, said, first) => {
    expect(refusals(lifecycle, said, from('Pending'))).toEqual([
      expect.stringMatching(
        new RegExp(`^its restored disks .*: "?${first}.* wanted a machine that was started since$`),
      ),
    ])
  })

  it.each<[string, LifecycleName, object, Claim[]]>([
    ['of disks that are filled', 'snapshot', { action: 'expire', snapshot: 'clean' }, from('Bound')],
    ['of disks that are filled, with it', 'deprovision', {}, from('Bound')],
    ['of a disk that is filled, with it', 'resize', { detach: ['wal'] }, from('Bound')],
    ['of disks that are blank', 'deprovision', {}, from('Pending', 'DataVolume')],
    ['of data that is to be destroyed', 'deprovision', { destroy: ['data', 'wal'] }, from('Pending')],
    ['and lists them', 'snapshot', { action: 'list' }, from('Pending')],
  ])('lets go of the snapshots %s', (_, lifecycle, said, claims) => {
    expect(refusals(lifecycle, said, claims)).toEqual([])
  })
})

describe('a machine with a disk that is bound once it starts', () => {
  const says = /^there can be no snapshot of disks that are not bound yet: "db-01-root-71f75f7d".* started since$/

  it.each<[LifecycleName, object]>([
    ['snapshot', { snapshot: 'more' }],
    ['repave', {}],
    ['patch', {}],
    ['restore', { snapshot: 'clean' }],
    ['deprovision', { finalSnapshot: true }],
  ])('is not made to wait for a snapshot that cannot be: a %s of %j is refused', (lifecycle, said) => {
    expect(refusals(lifecycle, said, each({ status: { phase: 'Pending' } }))).toEqual([expect.stringMatching(says)])
    expect(refusals(lifecycle, said, each({ status: { phase: 'Bound' } }))).toEqual([])
  })

  it('goes without a last snapshot, and is turned on', () => {
    for (const [lifecycle, said] of [['deprovision', {}] as const, ['power', { action: 'start' }] as const])
      expect(refusals(lifecycle, said, each({ status: { phase: 'Pending' } }))).toEqual([])
  })
})

describe('a machine whose disks are to grow', () => {
  const claims = (phase: string, request?: string, capacity = request) =>
    each({
      spec: { resources: { requests: { ...(request && { storage: request }) } } },
      status: { phase, ...(capacity && { capacity: { storage: capacity } }) },
    })

  it.each<[string, Record<string, string>, Claim[]]>([
    [
      'grow.data is "210Gi", wanted at least "227633266688": its claim db-01-data-data-4f3104 asks for that already',
      { data: '210Gi' },
      claims('Bound', '227633266688'),
    ],
    [
      'grow.root is "40Gi", wanted at least "60Gi": its claim db-01-root-71f75f7d asks for that already',
      { root: '40Gi' },
      claims('Bound', '60Gi', '30Gi'),
    ],
    [
      'grow.data is "300Gi", and its claim db-01-data-data-4f3104 is Pending: wanted one that is bound',
      { data: '300Gi' },
      claims('Pending', '200Gi', ''),
    ],
    ['grow.wal is "1Ti", and its claim db-01-data-wal-4f3104 is not there', { wal: '1Ti' }, []],
  ])('is refused before anything is done: %s', (problem, grow, live) => {
    expect(refusals('resize', { grow }, live)).toEqual([problem])
  })

  it.each<[string, Record<string, string>, Claim[]]>([
    ['beyond what the claim has', { data: '300Gi' }, claims('Bound', '227633266688')],
    ['to what the claim was asked for before, and Git not', { data: '300Gi' }, claims('Bound', '300Gi', '200Gi')],
    ['where the storage has rounded up', { data: '250Gi' }, claims('Bound', '200Gi', '400Gi')],
    ['to the size that they have', { data: '200Gi' }, []],
    ['that are none of it, which another step says', { logs: '1Gi' }, []],
  ])('may have them grow %s', (_, grow, live) => {
    expect(refusals('resize', { grow }, live)).toEqual([])
  })
})
