import { describe, expect, it } from 'vitest'
import { consequences } from '../../../functions/verify/consequences.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import type { Run } from '../../../shared/step.ts'
import { runOf } from '../../examples/starter.ts'
import { databaseServer } from '../../shared/kubevirt/definitions.ts'

const { id } = runOf()
const disks: Definition['disks'] = [
  { name: 'data', size: '300Gi', made: '200Gi' },
  { name: 'logs', size: '5Gi', claim: `db-01-data-logs-${id.slice(0, 6)}` },
]
const snapshot = { name: 'db-01-x', purpose: 'undo' as const, run: id, disks: [], taken: 'x' }

describe('a plan says what follows', () => {
  it.each<[lifecycle: Run['lifecycle'], task: string, definition: Partial<Definition>, facts: object, says: string[]]>([
    ['power', 'stop.verify', { running: false }, { wasRunning: true }, ['the machine is turned off']],
    ['patch', 'save.verify', { snapshots: [snapshot] }, {}, ['snapshot db-01-x is taken to go back to']],
    [
      'deprovision',
      'save.verify',
      { snapshots: [{ ...snapshot, purpose: 'final' as const }] },
      {},
      ['snapshot db-01-x is taken, and stays when the machine is gone'],
    ],
    [
      'resize',
      'resize.verify',
      { size: { cores: 4, memory: '8Gi' }, disks },
      {},
      ['the machine has 4 cores and 8Gi', 'disk data is of 300Gi: none shrinks again', 'disk logs is new'],
    ],
    [
      'deprovision',
      'remove.verify',
      {
        disks: [
          { name: 'data', size: '1Gi' },
          { name: 'tmp', size: '1Gi', destroyed: true },
        ],
      },
      {},
      [
        'the machine and its root disk are lost',
        'kept: db-01-data-data-4f3104',
        'destroyed, with what is on them: db-01-data-tmp-4f3104',
      ],
    ],
    ['migrate', 'migrate.verify', { migration: { name: 'x' } }, {}, ['the guest moves to another node while it runs']],
  ])('%s at %s', (lifecycle, task, definition, facts, says) => {
    const run = runOf({
      lifecycle,
      task,
      facts: { definition: databaseServer(definition), report: ['before'], ...facts },
    })
    expect(consequences(run)).toEqual({ report: ['before', ...says] })
  })
})
