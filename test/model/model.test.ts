import { describe, expect, it } from 'vitest'
import type { Tree } from '../../shared/fleet.ts'
import { lockFile } from '../../shared/paths.ts'
import { type Explored, explore } from './explore.ts'
import { scenarios } from './scenarios.ts'

/**
 * Runs about one machine, every way that they can go: each order of deliveries, each mood of the cluster, hours that pass and
 * ticks that come. What is moved is Drover's own shell and steps. `npm run test:model` has what goes wrong beside that.
 */

const show = ({ counterexample = [] }: Explored) => counterexample.join('\n')

describe('where nothing goes wrong but the cluster', { timeout: 120_000 }, () => {
  it.each(Object.entries(scenarios))('%s keep every rule in every state', async (_, made) => {
    const explored = await explore(await made(), { faults: 0, hours: 3 })
    expect(show(explored)).toBe('')
    // Nothing is true of what was never tried.
    for (const end of ['completed', 'rolledback']) expect(explored.ends).toContain(`run A ${end}`)
  })
})

const lock = lockFile('site-a', 'shop', 'db-01')

/** A tree of which a function sees other texts. */
const seeing = (tree: Tree, to: (path: string, text: string | undefined) => string | undefined): Tree => ({
  ...tree,
  read: async (path) => to(path, await tree.read(path)),
})

describe('a rule that is broken on purpose is found', { timeout: 120_000 }, () => {
  it('where locate does not look at the lock, in the fewest moves', async () => {
    const explored = await explore(
      await scenarios['two powers'](),
      { faults: 0, hours: 0 },
      {
        lens: (tree, by) => (by === 'locate' ? seeing(tree, (path, text) => (path === lock ? undefined : text)) : tree),
      },
    )
    expect(explored.counterexample).toEqual([
      'requested of run A is delivered: said validated: The request is valid: power of shop/db-01',
      'requested of run B is delivered: said validated: The request is valid: power of shop/db-01',
      ...['A', 'B'].map(
        (run) =>
          `validated of run ${run} is delivered while the cluster follows: pushed "Hold shop/db-01 for power run run ${run}"; said located: Found shop/db-01 on site-a, and hold it`,
      ),
      `Broken: only its holder changes a machine (${lock}), by its commit of "locate" for run B`,
    ])
  })

  it('where commit goes on with a run that is being undone', async () => {
    const explored = await explore(
      await scenarios['one power'](),
      { faults: 2, hours: 0 },
      {
        lens: (tree, by) =>
          by === 'commit' ? seeing(tree, (_, text) => text?.replace(/^state: "undoing"$/m, 'state: "running"')) : tree,
      },
    )
    expect(show(explored)).toMatch(/^Broken: no task goes on with a run that is being undone/m)
  })

  it('where no tick comes', async () => {
    const explored = await explore(await scenarios['two powers'](), { faults: 1, hours: 0 }, { ticks: false })
    expect(show(explored)).toMatch(/ is lost$/m)
    expect(show(explored)).toMatch(/^Broken: from each state there is a way to an end of each run$/m)
  })
})
