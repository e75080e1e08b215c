import { describe, expect, it } from 'vitest'
import { undecided } from '../../../functions/place/planned.ts'
import { unlessOccupied } from '../../../functions/place/unoccupied.ts'
import type { Application, MachineView, VirtualMachine } from '../../../shared/machines.ts'
import { notYet, type Outcome, type Run, refused, succeeded } from '../../../shared/step.ts'
import { foundOut, runWith } from '../build/runs.ts'
import { nothing } from '../machines.ts'

const run = runWith('place', foundOut())
const placed = succeeded('Placed web-01', { cluster: 'site-a' })
const asked = (view: MachineView) => unlessOccupied(run, placed, { of: async () => view })

const application = (name: string, namespace: string, labels = {}): Application => ({
  metadata: { name: 'web-01', labels },
  spec: { destination: { name, namespace } },
})
const machine = (operation?: string): VirtualMachine => ({
  metadata: { name: 'web-01', ...(operation && { annotations: { 'drover.dev/operation': operation } }) },
})
const here = { name: 'site-a', namespace: 'shop' }
const ours = { 'app.kubernetes.io/managed-by': 'drover' }

describe('a machine that is placed', () => {
  it.each<[string, MachineView]>([
    ['there is nothing of its name', nothing],
    [
      'all of it is its own',
      { ...nothing, application: application('site-a', 'shop', ours), machine: machine(`${run.id}.create`) },
    ],
  ])('goes on where %s', async (_, view) => {
    expect(await asked(view)).toEqual(placed)
  })

  it.each<[string, MachineView, string]>([
    [
      'an Application of people',
      { ...nothing, application: application('site-a', 'shop') },
      'Argo CD has an Application of that name already, which Drover did not make',
    ],
    [
      'an Application of another cluster',
      { ...nothing, application: application('site-b', 'shop', ours) },
      'Argo CD has an Application of that name for something else already',
    ],
    [
      'an Application of another namespace',
      { ...nothing, application: application('site-a', 'office', ours) },
      'Argo CD has an Application of that name for something else already',
    ],
    [
      'an Application without labels',
      { ...nothing, application: { metadata: { name: 'web-01' }, spec: { destination: here } } },
      'Argo CD has an Application of that name already, which Drover did not make',
    ],
    [
      'an Application without a destination',
      { ...nothing, application: { metadata: { name: 'web-01', labels: ours } } },
      'Argo CD has an Application of that name for something else already',
    ],
    [
      'a machine of people',
      { ...nothing, machine: machine() },
      'namespace shop has a VirtualMachine of that name already, which this run did not make',
    ],
    [
      'a machine of another run',
      { ...nothing, machine: machine('ffff.create') },
      'namespace shop has a VirtualMachine of that name already, which this run did not make',
    ],
  ])('is refused rather than takes over %s', async (_, view, why) => {
    expect(await asked(view)).toEqual({ kind: 'refused', message: `Cannot place web-01 on site-a: ${why}`, facts: {} })
  })

  it.each<[string, Outcome, Run]>([
    ['was refused', refused('Cannot place web-01'), run],
    ['was refused for what its cluster is', refused('Cannot place web-01', { cluster: 'site-a' }), run],
    ['is not placed yet', notYet('Still waiting'), run],
    ['has no cluster', { kind: 'succeeded', message: 'Placed web-01' }, run],
    ['has no name', placed, runWith('place', { cluster: 'site-a' })],
    ['is placed by a plan alone', succeeded('OCM would choose the cluster', { cluster: undecided }), run],
  ])('is not looked for where it %s', async (_, outcome, run) => {
    expect(await unlessOccupied(run, outcome, { of: () => Promise.reject(new Error('asked')) })).toBe(outcome)
  })
})
