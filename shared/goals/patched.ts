import { toCustomized } from '../images/report.ts'
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
    const found = view.jobs?.find(({ metadata }) => metadata.name === patch.name)
    if (!found) return troubleOfSync(view) ?? waiting(`Job ${patch.name} is not there yet`)
    const { conditions = [] } = found.status ?? {}
    const is = (type: string) => conditions.some((one) => one.type === type && one.status === 'True')
    // Why, its pod has said; it is asked next.
    if (is('Complete') || is('Failed'))
      return reached(is('Failed') ? words(conditions, 'no reason given') : 'The disk is patched')
    return waiting(`Job ${patch.name} works on the disk`)
  },
  async confirm({ definition }, machines) {
    const { cluster, namespace, patch } = definition
    if (!patch) return reached('Nothing is to be patched')
    const said = toCustomized(await machines.lastWords(cluster, namespace, patch.name))
    if (!said.done) return failed(`Job ${patch.name} failed: ${said.reason}`)
    const { changed = [], changes = 0, truncated = false } = said.packages ?? {}
    const report = [`${changes} packages changed`, ...changed, ...(truncated ? ['and more'] : [])]
    return reached(`Patched the disk of VM ${definition.name}: ${changes} packages changed`, { report })
  },
}
