import { describe, expect, it } from 'vitest'
import type { RunRecord } from '../../shared/ledger.ts'
import { runFile } from '../../shared/paths.ts'
import { firstOf, standing } from '../../shared/standing.ts'
import { toYaml } from '../../shared/yaml.ts'
import { runOf } from '../examples/starter.ts'
import { memoryFleet } from '../fleet.ts'

const run = runOf({ task: 'name' })

/** How the run stands where it has a record of this state, and made commits of these steps. */
async function standingWith(state: RunRecord['state'] | undefined, ...steps: string[]) {
  const fleet = memoryFleet(state ? { [runFile(run.id)]: toYaml({ run: run.id, state }) } : {})
  for (const step of steps)
    await fleet.transact({
      subject: step,
      trailers: { run: run.id, step, lifecycle: run.lifecycle, requester: run.requester },
      decide: async () => ({ changes: [], value: undefined, mark: true }),
    })
  return standing(await fleet.head(), run, fleet)
}

describe('a run', () => {
  it.each<[string, Parameters<typeof standingWith>, unknown]>([
    ['has not begun without a record and without a commit', [undefined], undefined],
    ['has not begun by a commit that is not its first', [undefined, 'address'], undefined],
    ['goes on while its record says so', ['running', 'name'], { run: run.id, state: 'running' }],
    ['has ended when it is being undone', ['undoing', 'name'], 'ended'],
    ['has ended when it is left to a person', ['stranded', 'name'], 'ended'],
    ['has ended when it has begun and has no record any more', [undefined, 'name'], 'ended'],
    ['has ended when it was undone before it began', [undefined, 'undone'], 'ended'],
  ])('%s', async (_, given, expected) => {
    expect(await standingWith(...given)).toEqual(expected)
  })

  it.each([
    ['provision', 'name'],
    ['patch', 'locate'],
    ['golden-image', 'hold'],
  ] as const)('of a %s begins with "%s"', (lifecycle, first) => {
    expect(firstOf(lifecycle)).toBe(first)
  })
})
