import { failed, reached, waiting } from './assessment.ts'
import type { Goal } from './goal.ts'
import { troubleOfSync } from './trouble.ts'

/** The guest runs on another node, and went on running meanwhile. */
export const migrated: Goal = {
  extras: ['migrations'],
  assess(view, { definition }) {
    const { migration } = definition
    if (!migration) return reached('Nothing is to be moved')
    const found = view.migrations?.find(({ metadata }) => metadata.name === migration.name)
    if (!found) return troubleOfSync(view) ?? waiting(`migration ${migration.name} is not there yet`)
    const { phase = 'Pending', migrationState } = found.status ?? {}
    if (phase === 'Failed')
      return failed(`migration ${migration.name} failed: ${migrationState?.failureReason ?? 'no reason given'}`)
    if (phase !== 'Succeeded') return waiting(`migration ${migration.name} is ${phase}`)
    const { nodeName, migrationState: moved } = view.instance?.status ?? {}
    // A guest that was started anew since knows of no migration.
    if (moved?.migrationUid === undefined || moved.migrationUid !== found.metadata.uid)
      return waiting(`migration ${migration.name} is Succeeded, but the guest does not say that it moved`)
    const { sourceNode, targetNode } = moved
    if (nodeName !== targetNode || sourceNode === targetNode)
      return waiting(`migration ${migration.name} is Succeeded, but the guest runs on node ${nodeName}`)
    const message = `VM ${definition.name} moved from node ${sourceNode} to ${targetNode}`
    return reached(message, { report: [message] })
  },
}
