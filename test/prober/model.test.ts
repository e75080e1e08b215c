import { describe, expect, it } from 'vitest'
import { modelOf, type Told } from './model.ts'

const place = { namespace: 'shop', name: 'web-1' }
const where = { name: 'web-1', cluster: 'site-a', addresses: ['servers/10.20.0.16'] }
let count = 0

function told(lifecycle: Told['asked']['lifecycle'], data: object, more: Partial<Told> = {}): Told {
  count += 1
  const run = String(count).padStart(20, '0')
  return {
    asked: { lifecycle, data, expected: 'completed', id: run, run },
    data,
    terminal: 'completed',
    ...where,
    ...more,
  }
}

const made = () =>
  told('provision', {
    ...{ template: 'linux-small', namespace: 'shop', owner: { kind: 'Group', name: 'team-shop' }, name: 'web-1' },
    disks: [{ name: 'data', size: '5Gi' }],
    placement: { cluster: 'site-a' },
  })

const machineAfter = (...more: Told[]) => {
  const lived = [{ name: 'm1', told: [made(), ...more] }]
  return modelOf(lived, 1).machines['site-a/shop/web-1']
}

describe('the model', () => {
  it('has a machine that was made, with its name and addresses', () => {
    const fleet = modelOf([{ name: 'm1', told: [made()] }], 1)
    expect(fleet).toEqual({
      machines: {
        'site-a/shop/web-1': {
          ...{ owner: 'Group:team-shop', template: 'linux-small', size: 'u1.small rhel.9', root: '30Gi' },
          image: 'openshift-virtualization-os-images/rhel9',
          ...{ running: true, disks: { data: '5Gi' }, snapshots: [], addresses: ['servers/10.20.0.16'], placed: false },
        },
      },
      images: {},
      names: ['web-1'],
      addresses: { 'servers/10.20.0.16': 'web-1' },
      kept: {},
      archived: [],
    })
  })

  it.each(['rolledback', 'stranded', 'missing'] as const)('has nothing of a run that is %s', (terminal) => {
    const fleet = modelOf([{ name: 'm1', told: [{ ...made(), terminal }] }], 1)
    expect([fleet.machines, fleet.names, fleet.addresses]).toEqual([{}, [], {}])
  })

  const changes: [what: string, Told, object][] = [
    ['a power stop', told('power', { ...place, action: 'stop' }), { running: false }],
    ['a size', told('resize', { ...place, size: { cores: 2, memory: '4Gi' } }), { size: '2 cores 4Gi rhel.9' }],
    [
      'a growth',
      told('resize', { ...place, grow: { root: '32Gi', data: '6Gi' } }),
      { root: '32Gi', disks: { data: '6Gi' } },
    ],
    ['a snapshot', told('snapshot', { ...place, snapshot: 's1' }), { snapshots: ['s1'] }],
    [
      'a repave',
      told('repave', { ...place, image: { registry: 'docker://x@sha256:1' } }),
      { image: 'docker://x@sha256:1' },
    ],
    ['a plan, which changes nothing', told('power', { ...place, action: 'stop', plan: true }), { running: true }],
  ]
  it.each(changes)('follows %s', (_, change, wanted) => {
    expect(machineAfter(change)).toMatchObject(wanted)
  })

  it('lets a snapshot go that has expired', () => {
    const taken = told('snapshot', { ...place, snapshot: 's1' })
    expect(machineAfter(taken, told('snapshot', { ...place, action: 'expire', snapshot: 's1' }))?.snapshots).toEqual([])
  })

  it('keeps a disk that was let go of, and those of a machine that is gone, unless it was told to destroy one', () => {
    const change = told('resize', {
      ...place,
      add: [
        { name: 'logs', size: '1Gi' },
        { name: 'tmp', size: '2Gi' },
      ],
      detach: ['data'],
    })
    const gone = told('deprovision', { ...place, destroy: ['tmp'] })
    const fleet = modelOf([{ name: 'm1', told: [made(), change, gone] }], 1)
    expect(fleet).toMatchObject({
      ...{ machines: {}, names: [], addresses: {}, archived: [`web-1-${gone.asked.run}`] },
      kept: { 'site-a/shop/web-1/data': '5Gi', 'site-a/shop/web-1/logs': '1Gi' },
    })
  })

  it('has a copy of the image that the machine ran from when its snapshot was taken', () => {
    const registry = (digit: string) => ({ registry: `docker://registry.example.com/x@sha256:${digit.repeat(64)}` })
    const [one, other] = [registry('a'), registry('b')]
    const lived = [
      told('repave', { ...place, image: one }),
      told('snapshot', { ...place, snapshot: 's1' }),
      told('repave', { ...place, image: other }),
      told('clone', { ...place, snapshot: 's1', as: { name: 'web-2' } }),
    ]
    const { machines } = modelOf([{ name: 'm1', told: [made(), ...lived] }], 1)
    expect(machines['site-a/shop/web-1']?.image).toBe(other.registry)
    expect(machines['site-a/shop/web-2']?.image).toBe(one.registry)
  })

  it('has a copy beside the machine that it is made from, with addresses of its own', () => {
    const copy = told(
      'clone',
      { ...place, snapshot: 's1', as: { name: 'web-2' } },
      { addresses: ['servers/10.20.0.17'] },
    )
    const fleet = modelOf([{ name: 'm1', told: [made(), told('power', { ...place, action: 'stop' }), copy] }], 1)
    expect(fleet.names).toEqual(['web-1', 'web-2'])
    expect(fleet.machines['site-a/shop/web-2']).toMatchObject({ running: true, disks: { data: '5Gi' } })
    expect(fleet.addresses['servers/10.20.0.17']).toBe('web-2')
  })

  it('knows of an image what it stands for, and as many of those before as are kept', () => {
    const build = () => told('golden-image', { image: 'rhel9', namespace: 'golden', cluster: 'site-a' })
    const [first, second, third] = [build(), build(), build()]
    const fleet = modelOf([{ name: 'img-1', told: [first, second, { ...build(), terminal: 'rolledback' }, third] }], 1)
    expect(fleet.images).toEqual({
      rhel9: { namespace: 'golden', cluster: 'site-a', builds: [third.asked.run, second.asked.run] },
    })
  })
})
