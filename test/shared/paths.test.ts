import { describe, expect, it } from 'vitest'
import {
  addressFile,
  applicationFile,
  definitionFile,
  isShared,
  manifestsFolder,
  nameFile,
  namespaceApplicationFile,
  namespaceFolder,
  placementFile,
} from '../../shared/paths.ts'

describe('paths', () => {
  it.each([
    [nameFile('web-01'), /^names\/[0-9a-f]{2}\/web-01\.yaml$/],
    [placementFile('web-01'), /^hub\/placements\/[0-9a-f]{2}\/web-01\.yaml$/],
    [addressFile('servers', '10.20.0.17'), /^ipam\/servers\/10\.20\.0\.17\.yaml$/],
    [addressFile('servers', 'fd00:20::17'), /^ipam\/servers\/fd00-20--17\.yaml$/],
    [definitionFile('site-a', 'shop', 'web-01'), /^vms\/site-a\/shop\/web-01\/values\.yaml$/],
    [manifestsFolder('site-a', 'shop', 'web-01'), /^vms\/site-a\/shop\/web-01\/manifests$/],
    [applicationFile('site-a', 'shop', 'web-01'), /^hub\/applications\/site-a\/shop\/web-01\.yaml$/],
  ])('%s', (path, form) => {
    expect(path).toMatch(form)
  })

  it('spread names over many folders', () => {
    const folders = Array.from({ length: 5000 }, (_, index) => nameFile(`web-${index}`).split('/')[1])
    expect(new Set(folders).size).toBe(256)
  })

  it.each<[string, boolean]>([
    [`${namespaceFolder('site-a', 'shop')}/namespace.yaml`, true],
    [namespaceApplicationFile('site-a', 'shop'), true],
    [applicationFile('site-a', 'shop', 'web-01'), false],
    [definitionFile('site-a', 'shop', 'web-01'), false],
    [nameFile('web-01'), false],
    [placementFile('namespaces'), false],
  ])('%s: machines share it: %s', (path, shared) => {
    expect(isShared(path)).toBe(shared)
  })
})
