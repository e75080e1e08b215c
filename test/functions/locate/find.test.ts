import { describe, expect, it } from 'vitest'
import { find } from '../../../functions/locate/find.ts'
import { definitionFile, nameFile } from '../../../shared/paths.ts'
import type { MachineRequest } from '../../../shared/schema/requests.ts'
import { toYaml } from '../../../shared/yaml.ts'
import { memoryFleet } from '../../fleet.ts'
import { databaseServer } from '../../shared/kubevirt/definitions.ts'

const fileOf = (cluster: string, change: object = {}, namespace = 'shop') => ({
  [definitionFile(cluster, namespace, 'db-01')]: toYaml({ ...databaseServer({ cluster, namespace }), ...change }),
})
const wanted = (change: object = {}) => ({ namespace: 'shop', name: 'db-01', ...change }) as MachineRequest
const found = async (files: Record<string, string>, request = wanted()) =>
  find(await memoryFleet(files).head(), request)

describe('the machine of a request', () => {
  it('is found on whichever cluster it is', async () => {
    expect(await found(fileOf('site-b'))).toEqual({
      definition: databaseServer({ cluster: 'site-b' }),
      madeBy: undefined,
    })
  })

  it('is known by the run that made it', async () => {
    const reserved = toYaml({ name: 'db-01', namespace: 'shop', run: '0123456789abcdef0123' })
    expect(await found({ ...fileOf('site-a'), [nameFile('db-01')]: reserved })).toMatchObject({
      madeBy: '0123456789abcdef0123',
    })
  })

  it('is the one of the cluster that the request names', async () => {
    const files = { ...fileOf('site-a'), ...fileOf('site-b') }
    expect(await found(files, wanted({ cluster: 'site-b' }))).toMatchObject({ definition: { cluster: 'site-b' } })
  })

  it.each<[sentence: string, files: Record<string, string>, request?: MachineRequest]>([
    ['namespace "shop" has no machine "db-01", wanted one that there is', {}],
    ['namespace "shop" has no machine "db-01", wanted one that there is', fileOf('site-a', {}, 'other')],
    [
      'namespace "shop" has no machine "db-01" on site-b, wanted one that there is',
      fileOf('site-a'),
      wanted({ cluster: 'site-b' }),
    ],
    [
      'namespace "shop" has a machine "db-01" on "site-a" and "site-b", wanted cluster to say which one',
      { ...fileOf('site-a'), ...fileOf('site-b') },
    ],
    [
      'vms/site-a/shop/db-01/values.yaml is the definition of shop/db-02 on site-a, wanted that of its own folder',
      fileOf('site-a', { name: 'db-02' }),
    ],
    [
      'vms/site-a/shop/db-01/values.yaml is the definition of other/db-01 on site-a, wanted that of its own folder',
      fileOf('site-a', { namespace: 'other' }),
    ],
    [
      'vms/site-a/shop/db-01/values.yaml is the definition of shop/db-01 on site-b, wanted that of its own folder',
      fileOf('site-a', { cluster: 'site-b' }),
    ],
  ])('is not found: %s', async (sentence, files, request) => {
    expect(await found(files, request)).toBe(sentence)
  })

  it('is not found where its definition says too little, and each problem is said', async () => {
    const sentence = await found(fileOf('site-a', { owner: undefined, labels: 7 }))
    expect(sentence).toMatch(
      /^vms\/site-a\/shop\/db-01\/values\.yaml: .*owner.*; vms\/site-a\/shop\/db-01\/values\.yaml: .*labels/,
    )
  })

  it('is not taken for one where a file stands in the place of a cluster', async () => {
    expect(await found({ ...fileOf('site-a'), 'vms/README.md': 'machines\n' })).toMatchObject({
      definition: { cluster: 'site-a' },
    })
  })
})
