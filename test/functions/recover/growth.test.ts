import { describe, expect, it } from 'vitest'
import { isBackToSize } from '../../../functions/recover/growth.ts'
import { render } from '../../../shared/kubevirt/render.ts'
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
