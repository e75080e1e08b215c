import { toCustomized } from '../images/report.ts'
import type { MachineView } from '../machines.ts'
import { failed, reached, waiting } from './assessment.ts'
import type { Goal } from './goal.ts'
import { troubleOfSync } from './ready.ts'
import { words } from './words.ts'

/** The Job has changed the disk, and said what it did. */
export const patched: Goal = {
  extras: ['jobs'],
  assess(view, { definition }) {
    const { patch } = definition
    if (!patch) return reached('Nothing is to be patched')
    const { found, conditions } = jobOf(view, patch.name)
    if (!found) return troubleOfSync(view) ?? waiting(`Job ${patch.name} is not there yet`)
    // How it went, its pod has said; it is asked next.
    if (is(conditions, 'Complete') || is(conditions, 'Failed')) return reached('The Job has ended')
    return waiting(`Job ${patch.name} works on the disk`)
  },
  async confirm({ definition }, machines, view) {
    const { cluster, namespace, patch } = definition
    if (!patch) return reached('Nothing is to be patched')
    const { conditions } = jobOf(view, patch.name)
    const said = await machines.lastWords(cluster, namespace, patch.name)
    // A pod that was ended from outside says nothing; the Job knows why.
    if (said === '' && is(conditions, 'Failed'))
      return failed(`Job ${patch.name} failed: ${words(conditions, 'no reason given')}`)
    if (said === '') return waiting(`Job ${patch.name} has ended, its pod has not said how`)
    const customized = toCustomized(said)
    if (!customized.done) return failed(`Job ${patch.name} failed: ${customized.reason}`)
    const { changed = [], changes = 0, truncated = false } = customized.packages ?? {}
    const report = [`${changes} packages changed`, ...changed, ...(truncated ? ['and more'] : [])]
    return reached(`Patched the disk of VM ${definition.name}: ${changes} packages changed`, { report })
  },
}

function jobOf({ jobs = [] }: MachineView, name: string) {
  const found = jobs.find(({ metadata }) => metadata.name === name)
  return { found, conditions: found?.status?.conditions ?? [] }
}

const is = (conditions: readonly { type: string; status: string }[], type: string) =>
  conditions.some((one) => one.type === type && one.status === 'True')
