import { describe, expect, it } from 'vitest'
import { differences, type Shown } from '../../../functions/locate/differences.ts'
import { virtualMachine } from '../../../shared/kubevirt/virtual-machine.ts'
import type { Claim, VirtualMachine } from '../../../shared/machines.ts'
import { databaseServer } from '../../shared/kubevirt/definitions.ts'

const definition = databaseServer()
const [root, data, wal] = ['db-01-root-71f75f7d', 'db-01-data-data-4f3104', 'db-01-data-wal-4f3104'] as const
const recorded = { [data]: 'uid-data', [wal]: 'uid-wal' }

const claim = (name: string, uid: string): Claim => ({ metadata: { name, uid }, status: { phase: 'Bound' } })
/** The machine as Git has it, but for its power and its disks; `change` finds and replaces in all that it says. */
const machine = (runStrategy: string, claims: string[], of = definition, change: [string, string] = ['', '']) => {
  const text = JSON.stringify(virtualMachine(of).spec).replaceAll(...change)
  const spec = JSON.parse(text) as NonNullable<VirtualMachine['spec']>
  const volumes = claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } }))
  return {
    metadata: { name: 'db-01' },
    spec: { ...spec, runStrategy, template: { spec: { ...spec.template?.spec, volumes } } },
  } satisfies VirtualMachine
}
const disks = [root, data, wal]
const sized = databaseServer({ size: { cores: 2, memory: '4Gi' } })

const asInGit: Shown = {
  machine: machine('Always', disks),
  claims: [claim(data, 'uid-data'), claim(wal, 'uid-wal')],
}

describe('a machine that is not as Git says', () => {
  it.each<[what: string, shown: Partial<Shown>, problems: string[]]>([
    ['is as Git says', {}, []],
    [
      'was turned off beside Git',
      { machine: machine('Halted', disks) },
      ['its runStrategy is Halted and Always in Git: somebody turned it on or off beside Git'],
    ],
    [
      'has lost a disk',
      { machine: machine('Always', [root, data]) },
      [`its disks are "${root}" and "${data}" and "${root}", "${data}" and "${wal}" in Git`],
    ],
    ['is not there', { machine: undefined }, ['the cluster has no VirtualMachine of that name']],
    [
      'has a data disk that came anew',
      { claims: [claim(data, 'uid-other'), claim(wal, 'uid-wal')] },
      [expect.stringContaining(data)],
    ],
    ['has a data disk that is gone', { claims: [claim(wal, 'uid-wal')] }, [expect.stringContaining(data)]],
  ])('%s', (_, shown, problems) => {
    expect(differences(definition, recorded, { ...asInGit, ...shown }, false)).toEqual(problems)
  })

  it.each<[what: string, from: string, to: string, problems: string[]]>([
    [
      'firmware',
      definition.identity.uuid,
      'another',
      [`its firmware uuid is another and ${definition.identity.uuid} in Git`],
    ],
    [
      'serial',
      definition.identity.serial,
      'another',
      [`its serial is another and ${definition.identity.serial} in Git`],
    ],
    [
      'MAC',
      '02:00:00:00:00:01',
      '02:00:00:00:00:02',
      ['its MAC of nic0 is 02:00:00:00:00:02 and 02:00:00:00:00:01 in Git'],
    ],
    ['number of cores', '"cores":2', '"cores":4', ['its number of cores is 4 and 2 in Git']],
    ['memory', '4Gi', '8Gi', ['its memory is 8Gi and 4Gi in Git']],
    ['memory, only written in another way', '4Gi', '4096Mi', []],
  ])('has another %s', (_, from, to, problems) => {
    const shown = { ...asInGit, machine: machine('Always', disks, sized, [from, to]) }
    expect(differences(sized, recorded, shown, false)).toEqual(problems)
  })

  it('has another instance type', () => {
    const shown = { ...asInGit, machine: machine('Always', disks, definition, ['u1.small', 'u1.large']) }
    expect(differences(definition, recorded, shown, false)).toEqual([
      'its instance type is u1.large and u1.small in Git',
    ])
  })

  it('may go where only its disks are as they were', () => {
    expect(differences(definition, recorded, { ...asInGit, machine: undefined }, true)).toEqual([])
    expect(differences(definition, recorded, { claims: [], machine: undefined }, true)).toHaveLength(2)
  })
})
