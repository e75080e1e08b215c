import { describe, expect, it } from 'vitest'
import {
  addressFile,
  applicationFile,
  archivedFile,
  archiveFolder,
  definitionFile,
  imageFile,
  imageLockFile,
  isReservation,
  isShared,
  keptDiskIn,
  keptFile,
  lockFile,
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

describe('the archive of a machine', () => {
  const archive = archiveFolder('2030-01-01T10:00:00Z', 'web-01', '0123456789abcdef0123')

  it('is named after the day, the machine and the run', () => {
    expect(archive).toBe('archive/2030/01-01/web-01-0123456789abcdef0123')
  })

  it.each([
    [definitionFile('site-a', 'shop', 'web-01'), `${archive}/values.yaml`],
    [`${manifestsFolder('site-a', 'shop', 'web-01')}/vm.yaml`, `${archive}/manifests/vm.yaml`],
    [applicationFile('site-a', 'shop', 'web-01'), `${archive}/application-web-01.yaml`],
    [placementFile('web-01'), `${archive}/placement-web-01.yaml`],
  ])('holds %s', (path, archived) => {
    expect(archivedFile(archive, path)).toBe(archived)
  })
})

describe('the disk that a path says is kept', () => {
  it.each([
    [keptFile('site-a', 'shop', 'db-01-data-wal-4f3104'), 'db-01-data-wal-4f3104'],
    [definitionFile('kept', 'shop', 'web-01'), undefined],
    ['kept/site-a/shop.yaml', undefined],
  ])('%s: %s', (path, disk) => {
    expect(keptDiskIn(path)).toBe(disk)
  })
})

describe('what an undo gives back last', () => {
  it.each<[string, string]>([
    ['a name', nameFile('web-01')],
    ['an address', addressFile('servers', '10.20.0.17')],
    ['a kept disk', keptFile('site-a', 'shop', 'db-01-data-wal-4f3104')],
    ['a Placement', placementFile('web-01')],
    ['the lock of a machine', lockFile('site-a', 'shop', 'web-01')],
    ['the lock of an image', imageLockFile('rhel9')],
  ])('is %s', (_, path) => {
    expect(isReservation(path)).toBe(true)
  })

  it.each<[string, string]>([
    ['a definition', definitionFile('site-a', 'shop', 'web-01')],
    ['an Application', applicationFile('site-a', 'shop', 'web-01')],
    ['an image', imageFile('rhel9')],
    ['what was archived', `${archiveFolder('2030-01-01T10:00:00Z', 'web-01', '0123456789abcdef0123')}/values.yaml`],
    ['a machine of a namespace that is called like one', definitionFile('site-a', 'kept', 'web-01')],
    ['a machine on a cluster that is called like one', definitionFile('names', 'shop', 'web-01')],
  ])('is not %s: clusters follow that', (_, path) => {
    expect(isReservation(path)).toBe(false)
  })
})
