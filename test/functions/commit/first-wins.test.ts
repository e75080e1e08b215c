import { describe, expect, it } from 'vitest'
import { create } from '../../../functions/build/create.ts'
import { commit } from '../../../functions/commit/commit.ts'
import type { Run } from '../../../shared/step.ts'
import type { MemoryFleet } from '../../fleet.ts'
import { linuxServer } from '../../shared/kubevirt/definitions.ts'
import { fleetOf, foundOut, runWith } from '../build/runs.ts'

/**
 * Two deliveries of one event may find out different things: OCM decides anew, somebody edits a customization. What the
 * first commit of a run says holds; nobody may get a second machine from the other answer, nor an undo.
 */

const settings = {
  repoUrl: 'https://git.example.com/fleet.git',
  branch: 'main',
  namespace: 'argocd',
  project: 'default',
  rootApplication: 'drover-hub',
}

async function built(fleet: MemoryFleet, cluster: string, requester = 'ann@example.com'): Promise<Run> {
  const definition = { ...linuxServer(), cluster, requester }
  const run = runWith('create.build', foundOut({ definition, cluster }))
  const outcome = await create(run, await fleet.head(), settings)
  if (outcome.kind !== 'succeeded') throw new Error(outcome.message)
  return { ...run, task: 'create.commit', changes: outcome.changes ?? [] }
}

const emptyFleet = () => fleetOf(runWith('address', foundOut()))
const machines = async (fleet: MemoryFleet) =>
  Object.keys(await fleet.files()).filter((path) => path.endsWith('/values.yaml'))

describe('a run whose events found out different things', () => {
  it.each(['before', 'after'])(
    'gets one machine when the second cluster was chosen %s the first commit',
    async (when) => {
      const fleet = await emptyFleet()
      const early = when === 'before' ? await built(fleet, 'site-b') : undefined
      expect(await commit(await built(fleet, 'site-a'), fleet)).toMatchObject({ kind: 'succeeded' })
      const late = early ?? (await built(fleet, 'site-b'))
      expect(await commit(late, fleet)).toEqual({
        kind: 'ignored',
        message: `Run ${late.id} has pushed another change set for this task already: the first one holds`,
      })
      expect(await machines(fleet)).toEqual(['vms/site-a/shop/web-01/values.yaml'])
    },
  )

  it.each(['before', 'after'])(
    'keeps its first definition when another one was built %s it was pushed',
    async (when) => {
      const fleet = await emptyFleet()
      const early = when === 'before' ? await built(fleet, 'site-a', 'bob@example.com') : undefined
      expect(await commit(await built(fleet, 'site-a'), fleet)).toMatchObject({ kind: 'succeeded' })
      const first = await fleet.files()
      expect(await commit(early ?? (await built(fleet, 'site-a', 'bob@example.com')), fleet)).toMatchObject({
        kind: 'ignored',
      })
      expect(await fleet.files()).toEqual(first)
    },
  )

  it('finds its own push again although somebody has edited a file since', async () => {
    const fleet = await emptyFleet()
    const run = await built(fleet, 'site-a')
    const first = await commit(run, fleet)
    fleet.put({ 'vms/site-a/shop/web-01/values.yaml': 'mine\n' })
    expect(await commit(run, fleet)).toEqual(first)
  })
})
