import { describe, expect, it } from 'vitest'
import { differences, type Shown } from '../../../functions/locate/differences.ts'
import type { Claim, VirtualMachine } from '../../../shared/machines.ts'
import { databaseServer } from '../../shared/kubevirt/definitions.ts'

const definition = databaseServer()
const [root, data, wal] = ['db-01-root-71f75f7d', 'db-01-data-data-4f3104', 'db-01-data-wal-4f3104'] as const
const recorded = { [data]: 'uid-data', [wal]: 'uid-wal' }

const claim = (name: string, uid: string): Claim => ({ metadata: { name, uid }, status: { phase: 'Bound' } })
const machine = (runStrategy: string, ...claims: string[]) =>
  ({
    metadata: { name: 'db-01' },
    spec: {
      runStrategy,
      template: { spec: { volumes: claims.map((claimName) => ({ persistentVolumeClaim: { claimName } })) } },
    },
  }) as unknown as VirtualMachine

const asInGit: Shown = {
  machine: machine('Always', root, data, wal),
  claims: [claim(data, 'uid-data'), claim(wal, 'uid-wal')],
}

describe('a machine that is not as Git says', () => {
  it.each<[what: string, shown: Partial<Shown>, problems: string[]]>([
    ['is as Git says', {}, []],
    [
      'was turned off beside Git',
      { machine: machine('Halted', root, data, wal) },
      ['its runStrategy is Halted and Always in Git: somebody turned it on or off beside Git'],
    ],
    [
      'has lost a disk',
      { machine: machine('Always', root, data) },
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

  it('may go where only its disks are as they were', () => {
    expect(differences(definition, recorded, { ...asInGit, machine: undefined }, true)).toEqual([])
    expect(differences(definition, recorded, { claims: [], machine: undefined }, true)).toHaveLength(2)
  })
})
