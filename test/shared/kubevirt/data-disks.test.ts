import { describe, expect, it } from 'vitest'
import { dataDiskLosses } from '../../../shared/kubevirt/data-disks.ts'
import { render } from '../../../shared/kubevirt/render.ts'
import { toYaml } from '../../../shared/yaml.ts'
import { memoryFleet } from '../../fleet.ts'
import { databaseServer } from './definitions.ts'

const path = 'vms/site-a/shop/db-01/manifests/datavolume-db-01-data-data.yaml'
const textOf = (kind: 'root' | 'data', size = '200Gi', snapshot?: string) => {
  const disks = [{ name: 'data', size, ...(snapshot && { snapshot }) }]
  const disk = render(databaseServer({ disks })).find(({ metadata }) => metadata.labels?.['drover.dev/disk'] === kind)
  return toYaml(disk)
}
/** The claim of a disk that has grown from 200Gi. */
/** The claim of a disk that has grown from 200Gi. */
const claimOf = (size: string) => {
  const server = databaseServer({ disks: [{ name: 'data', size, made: '200Gi' }] })
  return toYaml(render(server).find(({ kind }) => kind === 'PersistentVolumeClaim'))
}

describe('dataDiskLosses', () => {
  it.each<[string, string | undefined, string | null, string[]]>([
    [
      'finds a data disk that is removed',
      textOf('data'),
      null,
      [`${path} would remove the data disk "db-01-data-data-4f3104"`],
    ],
    [
      'finds a data disk that another object takes the place of',
      textOf('data'),
      textOf('root'),
      [`${path} would remove the data disk "db-01-data-data-4f3104"`],
    ],
    [
      'finds a data disk that shrinks',
      textOf('data', '1Ti'),
      textOf('data', '1000Gi'),
      [`${path} would shrink the data disk "db-01-data-data-4f3104" from 1Ti to 1000Gi`],
    ],
    ['lets a data disk grow', textOf('data', '1000Gi'), textOf('data', '1Ti'), []],
    ['lets a data disk be', textOf('data'), textOf('data'), []],
    ['lets a data disk from a snapshot be', textOf('data', '1Gi', 'clean'), textOf('data', '2Gi', 'clean'), []],
    [
      'finds a data disk from a snapshot that is removed',
      textOf('data', '1Gi', 'clean'),
      null,
      [`${path} would remove the data disk "db-01-data-data-4f3104"`],
    ],
    [
      'finds a data disk that is to be made anew from a snapshot',
      textOf('data'),
      textOf('data', '200Gi', 'clean'),
      [`${path} would make the data disk "db-01-data-data-4f3104" anew: it says no size any more`],
    ],
    [
      'finds a data disk that has grown and is to shrink to what it was',
      claimOf('1Ti'),
      claimOf('1000Gi'),
      [`${path} would shrink the data disk "db-01-data-data-4f3104" from 1Ti to 1000Gi`],
    ],
    ['lets a data disk grow again', claimOf('1000Gi'), claimOf('1Ti'), []],
    ['lets a data disk be made', undefined, textOf('data'), []],
    ['lets a root disk go', textOf('root'), null, []],
    ['lets what is no object go', 'a note on drover.dev/disk', null, []],
  ])('%s', async (_, before, after, losses) => {
    const tree = await memoryFleet(before === undefined ? {} : { [path]: before }).head()
    expect(await dataDiskLosses(tree, [{ path, content: after }])).toEqual(losses)
  })
})
