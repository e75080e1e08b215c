import { describe, expect, it } from 'vitest'
import { renderImage } from '../../../shared/images/render.ts'
import { tidyImage } from '../../../shared/images/tidy.ts'
import { check } from '../../../shared/schema/check.ts'
import { type Build, GoldenImage } from '../../../shared/schema/golden-image.ts'
import { build, golden } from './golden.ts'

const hex = 'a'.repeat(64)
const next = build({ name: 'rhel9-fedcba98', run: 'fedcba98'.padEnd(20, '0') })
const kinds = (image: GoldenImage) => renderImage(image).map(({ kind, metadata }) => `${kind} ${metadata.name}`)
const one = (image: GoldenImage, kind: string, name?: string) =>
  renderImage(image).find((object) => object.kind === kind && (name === undefined || object.metadata.name === name))

const secret = {
  name: 'golden',
  store: 'platform',
  storeKind: 'ClusterSecretStore' as const,
  data: { password: { key: 'golden/rhel', property: 'root' } },
}
const target = { repository: 'registry.example.com/golden/rhel9', tag: '9.6' }
const busy = golden({
  secrets: [secret],
  work: {
    build: next,
    deadlineSeconds: 600,
    volumeMode: 'Block',
    customize: { image: 'guestfs', customization: { update: true } },
    push: { image: 'drover', ...target },
  },
})

describe('renderImage', () => {
  it('gives the disk and the DataSource that stands for it', () => {
    expect(kinds(golden())).toEqual(['DataVolume rhel9-01234567', 'DataSource rhel9'])
    expect(one(golden(), 'DataSource')?.spec).toEqual({
      source: { pvc: { namespace: 'golden', name: 'rhel9-01234567' } },
    })
  })

  it('gives what a run works with beside that, and leaves the DataSource where it was', () => {
    expect(kinds(busy)).toEqual([
      'DataVolume rhel9-01234567',
      'DataVolume rhel9-fedcba98',
      'ExternalSecret golden',
      'ConfigMap rhel9-fedcba98-customize',
      'Job rhel9-fedcba98-customize',
      'Job rhel9-fedcba98-push',
      'DataSource rhel9',
    ])
    expect(JSON.stringify(one(busy, 'DataSource')?.spec)).toContain('rhel9-01234567')
  })

  it('gives the same for the same definition', () => {
    expect(renderImage(busy)).toEqual(renderImage(structuredClone(busy)))
  })

  it('protects a disk that is kept, and no other', () => {
    const annotationsOf = (name: string) => Object.keys(one(busy, 'DataVolume', name)?.metadata.annotations ?? {})
    expect(annotationsOf('rhel9-01234567')).toContain('argocd.argoproj.io/sync-options')
    expect(annotationsOf('rhel9-fedcba98')).not.toContain('argocd.argoproj.io/sync-options')
  })

  it.each<[what: string, source: Build['source'], spec: object]>([
    [
      'a DataSource',
      { dataSource: 'rhel9', namespace: 'images' },
      { sourceRef: { kind: 'DataSource', namespace: 'images', name: 'rhel9' } },
    ],
    [
      'a URL',
      { url: 'https://x/y', checksum: `sha256:${hex}`, certConfigMap: 'ca', secretHeaders: 'token' },
      {
        source: {
          http: { url: 'https://x/y', checksum: `sha256:${hex}`, certConfigMap: 'ca', secretExtraHeaders: ['token'] },
        },
      },
    ],
    [
      'a registry',
      { registry: `docker://x/y@sha256:${hex}`, secret: 'pull' },
      { source: { registry: { url: `docker://x/y@sha256:${hex}`, secretRef: 'pull' } } },
    ],
  ])('takes the disk from %s', (_, source, spec) => {
    expect(one(golden({ current: build({ source }) }), 'DataVolume')?.spec).toMatchObject(spec)
  })

  it('names the store of a secret and where in it, and no value', () => {
    expect(one(busy, 'ExternalSecret')?.spec).toMatchObject({
      secretStoreRef: { name: 'platform', kind: 'ClusterSecretStore' },
      data: [{ secretKey: 'password', remoteRef: { key: 'golden/rhel', property: 'root' } }],
    })
  })

  it('says what machines get unless they say another, on the disk and on the DataSource', () => {
    const image = golden({ current: build({ instancetype: 'u1.small', preference: 'rhel.9' }) })
    for (const kind of ['DataVolume', 'DataSource'])
      expect(one(image, kind)?.metadata.labels).toMatchObject({
        'instancetype.kubevirt.io/default-instancetype': 'u1.small',
        'instancetype.kubevirt.io/default-preference': 'rhel.9',
      })
  })

  it('follows the tag under a name of its own, which CDI alone writes', () => {
    const image = golden({ follow: { schedule: '0 2 * * 0', secret: 'pull', ...target } })
    expect(kinds(image)).toEqual(['DataVolume rhel9-01234567', 'DataSource rhel9', 'DataImportCron rhel9-latest'])
    expect(one(image, 'DataImportCron')?.spec).toMatchObject({
      managedDataSource: 'rhel9-latest',
      template: {
        spec: { source: { registry: { url: 'docker://registry.example.com/golden/rhel9:9.6', secretRef: 'pull' } } },
      },
    })
  })

  it('follows the tag by an object that says it where a field has left its spec, for a replaced one has no owner who would', () => {
    const annotationsOf = (follow: object) =>
      one(golden({ follow: { schedule: '0 2 * * 0', ...follow, ...target } }), 'DataImportCron')?.metadata.annotations
    expect(annotationsOf({ secret: 'pull' })).toMatchObject({
      'argocd.argoproj.io/sync-options': 'Force=true,Replace=true',
      'drover.dev/spec': expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    })
    expect(annotationsOf({})).not.toEqual(annotationsOf({ secret: 'pull' }))
    expect(annotationsOf({})).toEqual(annotationsOf({}))
  })

  it('says sizes as Kubernetes writes them back: a DataImportCron that differs is made anew, again and again', () => {
    const current = build({ size: '30720Mi' })
    const image = golden({ current, follow: { schedule: '0 2 * * 0', ...target } })
    const storage = { resources: { requests: { storage: '30Gi' } } }
    expect(one(image, 'DataVolume')?.spec).toMatchObject({ storage })
    expect(one(image, 'DataImportCron')?.spec).toMatchObject({ template: { spec: { storage } } })
  })

  it('does not show the query of a URL in what it pushes', () => {
    const work = { ...busy.work, build: build({ ...next, source: { url: 'https://x/y?token=abc' } }) }
    const image = golden({ work: { deadlineSeconds: 60, ...work } })
    expect(JSON.stringify(one(image, 'Job', 'rhel9-fedcba98-push'))).not.toContain('token=abc')
  })
})

describe('tidyImage', () => {
  const older = ['a', 'b', 'c'].map((digit) => build({ name: `rhel9-${digit.repeat(8)}` }))

  it('takes away what only the run needed, and gives a definition that is one', () => {
    const tidy = tidyImage(busy)
    expect(kinds(tidy)).toEqual(['DataVolume rhel9-01234567', 'DataSource rhel9'])
    expect(check(GoldenImage, tidy, 'the image')).toMatchObject({ ok: true })
    expect(check(GoldenImage, busy, 'the image')).toMatchObject({ ok: true })
  })

  it('leaves the secret that what follows the tag needs', () => {
    const follow = { schedule: '0 2 * * 0', secret: 'golden', ...target }
    expect(tidyImage({ ...busy, follow }).secrets).toEqual([secret])
  })

  it('protects the latest disk, and takes the protection off the one before', () => {
    const { current, older: left } = tidyImage(golden({ current: next, older: [build({ kept: true })] }))
    expect([current?.kept, left[0]?.kept]).toEqual([true, undefined])
  })

  it.each<[keep: number, left: string[]]>([
    [0, []],
    [1, ['rhel9-aaaaaaaa']],
    [3, ['rhel9-aaaaaaaa', 'rhel9-bbbbbbbb', 'rhel9-cccccccc']],
  ])('keeps %i old disks', (keep, left) => {
    expect(tidyImage(golden({ keep, older })).older.map(({ name }) => name)).toEqual(left)
  })

  it('lets no disk go that is still protected: Argo CD would leave it behind', () => {
    const tidy = tidyImage(golden({ keep: 0, current: next, older: [build({ kept: true })] }))
    expect(tidy.older).toEqual([build()])
    expect(tidyImage(tidy).older).toEqual([])
  })
})
