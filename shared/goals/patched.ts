import { toCustomized } from '../images/customized.ts'
import type { MachineView } from '../machines.ts'
import { type Assessment, failed, reached, waiting } from './assessment.ts'
import type { Goal } from './goal.ts'
import { assessJob, hasFailed, silenceOf } from './job.ts'
import { troubleOfSync } from './trouble.ts'

/** The Job has changed the disk, and said what it did. */
export const patched: Goal = {
  extras: ['jobs'],
  assess(view, { definition }) {
    const { patch } = definition
    if (!patch) return reached('Nothing is to be patched')
    if (ranMeanwhile(view, patch.name))
      return failed(
        `VM ${definition.name} was started before Job ${patch.name} was done with its disk: both wrote to it`,
      )
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

/**
 * True where a guest may have run while the Job wrote to its disk. Nothing in the cluster keeps one off: `virtctl start` has it run
 * until Argo CD takes that back. One that was started when the Job was done has done no harm, and why a Job failed is worth more.
 */
function ranMeanwhile({ jobs = [], instance }: MachineView, name: string): boolean {
  if (!instance || hasFailed(jobs, name)) return false
  const { completionTime } = jobs.find(({ metadata }) => metadata.name === name)?.status ?? {}
  const { creationTimestamp = '' } = instance.metadata
  return completionTime === undefined || creationTimestamp <= completionTime
}

/** What the pod of a customization said: which packages changed, or why it did not work. */
export function customized(said: string, job: string, done: string): Assessment {
  const customized = toCustomized(said)
  if (!customized.done) return failed(`Job ${job} failed: ${customized.reason}`)
  const { changed, changes, truncated } = customized.packages
  const report = [`${changes} packages changed`, ...changed, ...(truncated ? ['and more'] : [])]
  return reached(`${done}: ${changes} packages changed`, { report })
}
