import { describe, expect, it } from 'vitest'
import { terminals } from '../../../shared/lifecycles.ts'
import { explore } from '../explore.ts'
import { scenarios } from '../scenarios.ts'

/**
 * The same with what Brokers and processes do: an event is lost, an hour late, comes twice or becomes a dead letter, or its
 * function dies after any of its commits.
 */
describe('whatever goes wrong', { timeout: 1_800_000 }, () => {
  it.each<[keyof typeof scenarios, number, number]>([
    ['one power', 2, 3],
    ['two powers', 1, 3],
    ['two powers, one of which waits for the other', 1, 2],
    ['two provisions of one name', 1, 3],
    ['a patch and a deprovision', 1, 2],
  ])('%s keep every rule in every state, with %i of it within %i hours', async (name, faults, hours) => {
    const explored = await explore(await scenarios[name](), { faults, hours })
    const { states, moves, deliveries, counterexample = [], ends } = explored
    process.stdout.write(`${name}: ${states} states, ${moves} moves, ${deliveries} deliveries by the real functions\n`)
    expect(counterexample.join('\n')).toBe('')
    for (const end of terminals) expect(ends).toContain(`run A ${end}`)
  })
})
