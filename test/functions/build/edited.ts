import type { Edit } from '../../../functions/build/edit.ts'
import { edits } from '../../../functions/build/edits.ts'
import type { LifecycleName } from '../../../shared/lifecycles.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import type { Facts, Run } from '../../../shared/step.ts'
import { runOf, starterFiles } from '../../examples/starter.ts'
import { memoryFleet } from '../../fleet.ts'

export type Round = keyof typeof edits

/** What an edit makes of a machine. */
export async function edited(
  round: Round,
  definition: Definition,
  lifecycle: LifecycleName,
  request: object = {},
  facts: Facts = {},
  files: Record<string, string> = {},
  change: Partial<Run> = {},
): Promise<Awaited<ReturnType<Edit>>> {
  const asked = { namespace: 'shop', name: definition.name, ...request } as Run['request']
  const run = runOf({ lifecycle, request: asked, facts: { wasRunning: definition.running, ...facts }, ...change })
  const tree = await memoryFleet({
    'customizations/hardening.yaml': 'description: x\nguest: linux\ndisk:\n  timezone: UTC\n',
    'customizations/plain.yaml': 'description: x\nguest: linux\n',
    'policy/limits.yaml': starterFiles()['policy/limits.yaml'] ?? '',
    ...files,
  }).head()
  return edits[round](definition, run, { tree, guestfs: { image: 'tools:1' } })
}
