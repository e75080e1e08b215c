import { describe, expect, it } from 'vitest'
import { ungrownOf, withoutGrowth } from '../../../functions/recover/growth.ts'
import { disks } from '../../../shared/kubevirt/disks.ts'
import type { Claim } from '../../../shared/machines.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import { databaseServer } from '../../shared/kubevirt/definitions.ts'

const data = { name: 'data', size: '8Gi', made: '5Gi' }
const before = databaseServer({ disks: [data] })
const restored = { ...data, claim: 'db-01-data-data-new', snapshot: 'vs-data', atOnce: true }
const now = { ...before, disks: [restored] }
const claim = (phase: string, storage: string): Claim => ({
  metadata: { name: restored.claim, uid: 'u' },
  status: { phase, capacity: { storage } },
})
const kindsOf = (definition: Definition) => disks(definition).map(({ kind }) => kind)

describe('a disk that was made anew in the place of one that had grown', () => {
  it.each<[string, Claim[]]>([
    ['is not there', []],
    ['is not bound', [claim('Pending', '0')]],
  ])('has not grown while its claim %s, and can be applied without that', (_, claims) => {
    const ungrown = ungrownOf({ before, now }, claims)
    expect(ungrown).toEqual([expect.objectContaining({ claim: restored.claim })])
    expect(kindsOf(now)).toContain('PersistentVolumeClaim')
    const left = withoutGrowth(now, ungrown)
    expect(kindsOf(left)).not.toContain('PersistentVolumeClaim')
    const { made: _made, ...rest } = restored
    expect(left).toEqual({ ...now, disks: [rest] })
  })

  it('may grow as soon as that is bound', () => {
    expect(ungrownOf({ before, now }, [claim('Bound', '5Gi')])).toEqual([])
  })
})
