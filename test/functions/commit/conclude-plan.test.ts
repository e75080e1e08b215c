import { describe, expect, it } from 'vitest'
import { concludePlan } from '../../../functions/commit/conclude-plan.ts'
import { nameFile, runFile } from '../../../shared/paths.ts'
import { toYaml } from '../../../shared/yaml.ts'
import { memoryFleet } from '../../fleet.ts'
import { changing } from '../changes.ts'

const folder = 'vms/site-a/shop/db-01'
const fleet = () => memoryFleet({ [`${folder}/values.yaml`]: 'cores: 2\n' })
const planning = changing('resize', { plan: true }, 'complete', {
  facts: { report: ['4 cores instead of 2', 'the machine is restarted'] },
})
const draft = [
  { path: `${folder}/values.yaml`, content: 'cores: 4\n' },
  { path: `${folder}/claims.yaml`, content: 'x: y\n' },
  { path: runFile(planning.id), content: 'state: running\n' },
]

describe('a plan', () => {
  it('comes to what would become of the machine and of each file, and changes nothing', async () => {
    const shown = fleet()
    expect(await concludePlan({ ...planning, draft }, await shown.head())).toEqual({
      kind: 'succeeded',
      message:
        'Nothing was changed. Resizing of db-01 would do this: 4 cores instead of 2; the machine is restarted; 2 files of the fleet repository would change',
      facts: {
        ...planning.facts,
        plan: [`A ${folder}/claims.yaml`, `M ${folder}/values.yaml`],
        diff: expect.stringContaining('-cores: 2\n+cores: 4\n'),
      },
    })
    expect(shown.commits).toEqual([])
  })

  it('tells of the name that the close of a run gives back', async () => {
    const going = changing('deprovision', { plan: true }, 'complete')
    const held = memoryFleet({ [nameFile('db-01')]: toYaml({ name: 'db-01', namespace: 'shop' }) })
    expect(await concludePlan(going, await held.head())).toMatchObject({
      facts: { plan: [`D ${nameFile('db-01')}`] },
    })
  })

  it('says so where nothing would change', async () => {
    const { report: _, ...facts } = planning.facts
    expect(await concludePlan({ ...planning, facts }, await fleet().head())).toEqual({
      kind: 'succeeded',
      message: 'Nothing was changed. Resizing of db-01 would do this: 0 files of the fleet repository would change',
      facts: { ...facts, plan: [], diff: '' },
    })
  })
})
