import { describe, expect, it } from 'vitest'
import { isBackToSize, ungrownOf, withoutGrowth } from '../../../functions/recover/growth.ts'
import { disks } from '../../../shared/kubevirt/disks.ts'
import { render } from '../../../shared/kubevirt/render.ts'
import type { Claim } from '../../../shared/machines.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import { toYaml } from '../../../shared/yaml.ts'
import { databaseServer } from '../../shared/kubevirt/definitions.ts'

const manifest = (kind: string, size: string) =>
  toYaml(
    render(databaseServer({ disks: [{ name: 'data', size, made: '200Gi' }] })).find(
      (one) => one.kind === kind && one.metadata.name.includes('-data-'),
    ),
  )
const claimOf = (size: string) => manifest('PersistentVolumeClaim', size)

describe('a growth that the cluster has refused', () => {
  it.each<[what: string, content: string | null, isBack: boolean]>([
    ['goes back to the size that there was', claimOf('250Gi'), true],
    ['goes back to it in another unit', claimOf('256000Mi'), true],
    ['goes back to no other size', claimOf('249Gi'), false],
    ['does not go where no size is said', claimOf('250Gi').replace(/^ +storage: .*$/m, ''), false],
    ['does not go with its claim', null, false],
    ['does not go with the disk', manifest('DataVolume', '250Gi'), false],
  ])('%s', (_, content, isBack) => {
    const [before, now] = [{ size: '250Gi' }, { size: '300Gi' }]
    const change = { path: 'x.yaml', content }
    expect(isBackToSize(change, [{ claim: 'db-01-data-data-4f3104', before, now }])).toBe(isBack)
    expect(isBackToSize(change, [{ claim: 'another', before, now }])).toBe(false)
    expect(isBackToSize(change, [])).toBe(false)
  })
})

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
