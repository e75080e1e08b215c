import { describe, expect, it } from 'vitest'
import { planned } from '../../../functions/place/planned.ts'
import type { Placement } from '../../../shared/schema/machine.ts'
import type { Facts, Run } from '../../../shared/step.ts'
import { smallRequest } from '../../examples/starter.ts'
import { foundOut, runWith } from '../build/runs.ts'

const anywhere = { clusterSets: ['global'] }
const placing = (plan: boolean, placement: Placement = anywhere, change: Facts = {}): Run => {
  const { machine } = foundOut()
  const facts = foundOut({ ...(machine && { machine: { ...machine, placement } }), ...change })
  return { ...runWith('place', facts), request: { ...smallRequest(), plan } }
}
const says = 'OCM chooses the cluster, called chosen-by-placement here'

describe('the place of a machine in a plan', () => {
  it.each<[string, Facts, string[]]>([
    ['', {}, [says]],
    [' beside what the plan has found out before', { report: ['the name is free'] }, ['the name is free', says]],
  ])('stands for the cluster that OCM would choose, and says so%s', (_, facts, report) => {
    expect(planned(placing(true, anywhere, facts))).toEqual({
      kind: 'succeeded',
      message: 'OCM would choose the cluster',
      facts: { cluster: 'chosen-by-placement', report },
    })
  })

  it.each<[string, Run]>([
    ['the run is no plan', placing(false)],
    ['the cluster is named', placing(true, { cluster: 'site-a' })],
    ['the run has no machine yet', { ...placing(true), facts: {} }],
  ])('is looked for as ever where %s', (_, run) => {
    expect(planned(run)).toBeUndefined()
  })
})
