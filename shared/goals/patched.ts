import { toCustomized } from '../images/report.ts'
import { type Assessment, failed, reached, waiting } from './assessment.ts'
import type { Goal } from './goal.ts'
import { assessJob, silenceOf } from './job.ts'
import { troubleOfSync } from './ready.ts'

/** The Job has changed the disk, and said what it did. */
export const patched: Goal = {
  extras: ['jobs'],
  assess(view, { definition }) {
    const { patch } = definition
    if (!patch) return reached('Nothing is to be patched')
    // Nothing in the cluster keeps a guest off: `virtctl start` has it run until Argo CD takes that back.
    if (view.instance)
      return failed(`VM ${definition.name} was started while Job ${patch.name} works on its disk, and both write to it`)
    const shown = assessJob(view.jobs ?? [], patch.name, 'works on the disk')
    return shown ?? troubleOfSync(view) ?? waiting(`Job ${patch.name} is not there yet`)
  },
  async confirm({ definition }, machines, { jobs = [] }) {
    const { cluster, namespace, patch } = definition
    if (!patch) return reached('Nothing is to be patched')
    const said = await machines.lastWords(cluster, namespace, patch.name)
    return (
      silenceOf(jobs, patch.name, said) ?? customized(said, patch.name, `Patched the disk of VM ${definition.name}`)
    )
  },
}

/** What the pod of a customization said: which packages changed, or why it did not work. */
export function customized(said: string, job: string, done: string): Assessment {
  const customized = toCustomized(said)
  if (!customized.done) return failed(`Job ${job} failed: ${customized.reason}`)
  const { changed, changes, truncated } = customized.packages
  const report = [`${changes} packages changed`, ...changed, ...(truncated ? ['and more'] : [])]
  return reached(`${done}: ${changes} packages changed`, { report })
}
