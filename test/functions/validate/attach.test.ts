import { describe, expect, it } from 'vitest'
import { validate } from '../../../functions/validate/validate.ts'
import { definitionFile, keptFile, manifestsFolder } from '../../../shared/paths.ts'
import type { KeptDisk } from '../../../shared/schema/kept-disk.ts'
import { toYaml } from '../../../shared/yaml.ts'
import { asked, smallRequest, starterFiles } from '../../examples/starter.ts'
import { memoryFleet } from '../../fleet.ts'
import { databaseServer } from '../../shared/kubevirt/definitions.ts'
import { fleetHaving } from '../changes.ts'

const disk = 'old-01-data-data-1a2b3c'
const kept = (change: Partial<KeptDisk> = {}): Record<string, string> => {
  const one: KeptDisk = {
    ...{ disk, cluster: 'site-a', namespace: 'shop', machine: 'old-01', run: 'r', since: 'x' },
    ...{ size: '8Gi', made: '5Gi', storageClass: 'fast', uid: 'uid-1' },
    ...change,
  }
  return { [keptFile(one.cluster, one.namespace, one.disk)]: toYaml(one) }
}

/** A machine with the disk, as Drover writes it. */
async function having(name: string): Promise<Record<string, string>> {
  const files = await (
    await fleetHaving(databaseServer({ name, disks: [{ name: 'data', size: '8Gi', claim: disk }] }))
  ).files()
  return Object.fromEntries(Object.entries(files).filter(([path]) => path.startsWith('vms/')))
}

function outcomeOf(change: object, files: Record<string, string | null>) {
  const fleet = memoryFleet(starterFiles())
  fleet.put(files)
  return validate(asked({ ...smallRequest(), ...change }), fleet)
}

describe('a kept disk', () => {
  it('comes with all that it was, and pins the cluster that it is on', async () => {
    expect(await outcomeOf({ attach: [{ name: 'data', disk }] }, kept())).toMatchObject({
      kind: 'succeeded',
      facts: {
        machine: { placement: { cluster: 'site-a' } },
        attached: [{ name: 'data', size: '8Gi', made: '5Gi', storageClass: 'fast', claim: disk }],
        claims: { [disk]: 'uid-1' },
      },
    })
  })

  const other = 'old-01-data-wal-1a2b3c'
  it.each<[what: string, change: object, files: Record<string, string>, sentence: string]>([
    [
      'that there is not',
      { attach: [{ name: 'data', disk: 'gone' }] },
      kept(),
      `wanted one that is kept for "shop": "${disk}"`,
    ],
    [
      'that an undo may still give back',
      { attach: [{ name: 'data', disk }] },
      { ...kept(), 'runs/r.yaml': 'run: r\n' },
      'which run r has not let go of yet: ask again once that has ended',
    ],
    [
      'beside more new ones than policy lets a machine have together',
      {
        attach: [{ name: 'data', disk }],
        disks: Array.from({ length: 8 }, (_, index) => ({ name: `new-${index}`, size: '1Gi' })),
      },
      kept(),
      'the machine would have 9 data disks, wanted at most 8 (policy: How large a machine may be)',
    ],
    ['of another namespace', { attach: [{ name: 'data', disk }] }, kept({ namespace: 'bank' }), 'there is none'],
    [
      'that is asked for twice',
      {
        attach: [
          { name: 'a', disk },
          { name: 'b', disk },
        ],
      },
      kept(),
      `attach has "${disk}" twice`,
    ],
    [
      'under a name that is taken',
      {
        attach: [
          { name: 'data', disk },
          { name: 'data', disk: other },
        ],
      },
      { ...kept(), ...kept({ disk: other }) },
      'wanted each name once',
    ],
    [
      'beside one on another cluster',
      {
        attach: [
          { name: 'a', disk },
          { name: 'b', disk: other },
        ],
      },
      { ...kept(), ...kept({ disk: other, cluster: 'site-b' }) },
      'wanted disks on one cluster',
    ],
    [
      'that is not where the machine is to be',
      { placement: { cluster: 'site-b' }, attach: [{ name: 'data', disk }] },
      kept(),
      'wanted "site-a", where the disks of attach are',
    ],
    [
      'whose file was broken by hand',
      { attach: [{ name: 'data', disk }] },
      { [keptFile('site-a', 'shop', disk)]: 'disk: x\n' },
      'cluster is missing',
    ],
  ])('%s is refused', async (_, change, files, sentence) => {
    expect(await outcomeOf(change, files)).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining(sentence),
    })
  })

  const definition = definitionFile('site-a', 'shop', 'old-01')
  const manifest = `${manifestsFolder('site-a', 'shop', 'old-01')}/datavolume-${disk}.yaml`
  it.each<[string, string, Record<string, string | null>]>([
    ['the machine that it was of', 'old-01', {}],
    ['another machine', 'new-07', {}],
    ['the machine that it was of, without its manifest,', 'old-01', { [manifest]: null }],
    ['the machine that it was of, with a definition that cannot be read,', 'old-01', { [definition]: 'name: 1\n' }],
  ])('whose note was left behind is refused while %s has it', async (_, name, change) => {
    const files = { ...kept(), ...(await having(name)), ...change }
    expect(await outcomeOf({ attach: [{ name: 'data', disk }] }, files)).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining(
        `which machine "${name}" still has: kept/site-a/shop/old-01-data-data-1a2b3c.yaml must go`,
      ),
    })
  })

  it('is for whoever asks where only a machine of another namespace has one of that name', async () => {
    const there = Object.entries(await having('new-07')).map(([path, text]) => [path.replace('/shop/', '/bank/'), text])
    const files = { ...kept(), ...Object.fromEntries(there) }
    expect(await outcomeOf({ attach: [{ name: 'data', disk }] }, files)).toMatchObject({ kind: 'succeeded' })
  })
})
