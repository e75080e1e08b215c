import { describe, expect, it } from 'vitest'
import { validate } from '../../../functions/validate/validate.ts'
import { toMachine } from '../../../shared/join.ts'
import { lifecycles } from '../../../shared/lifecycles.ts'
import { check } from '../../../shared/schema/check.ts'
import { summary } from '../../../shared/schema/show.ts'
import type { Template } from '../../../shared/schema/template.ts'
import { asked, smallRequest, starterFiles } from '../../examples/starter.ts'
import { memoryFleet } from '../../fleet.ts'
import { doors, requestDoors } from '../doors.ts'
import { each, eachInTurn, isSentence, seed, swiftly } from '../fuzz.ts'
import { mutated } from '../mutations.ts'

const mutations = 10_000

describe(`${mutations} mutations (FUZZ_SEED=${seed})`, () => {
  it.each(doors)('of $name are each taken, or refused in clear sentences', ({ schema, good }) => {
    for (const one of good) expect(check(schema, one, 'the value')).toMatchObject({ ok: true })
    let refused = 0
    each(mutated(good), mutations, (value) => {
      const checked = swiftly(() => check(schema, value, 'the value'))
      if (checked.ok) return
      refused++
      expect(checked.problems).not.toEqual([])
      expect(checked.problems.filter((problem) => !isSentence(problem))).toEqual([])
      expect(summary('Cannot grant the request', checked.problems).length).toBeLessThanOrEqual(2_000)
    })
    // Most changes are for the worse, or the mutations would prove nothing.
    expect(refused).toBeGreaterThan(mutations / 2)
  })
})

describe(`a request that was changed at random (FUZZ_SEED=${seed})`, () => {
  const fleet = memoryFleet(starterFiles())
  const rows = requestDoors.map(({ good }, index) => ({ lifecycle: lifecycles[index]!.name, good }))

  it.each(rows)('to $lifecycle is granted or refused in a sentence', async ({ lifecycle, good }) => {
    await eachInTurn(mutated(good), 500, async (request) => {
      const outcome = await validate(asked(request, { lifecycle }), fleet)
      expect(outcome.kind).toBeOneOf(['succeeded', 'refused'])
      expect(isSentence(outcome.message), outcome.message).toBe(true)
    })
  })
})

describe(`a template that was changed at random and is taken (FUZZ_SEED=${seed})`, () => {
  it('makes a machine of a request', () => {
    const { schema, good } = doors.find(({ name }) => name === 'a template')!
    each(mutated(good), 2_000, (value) => {
      if (check(schema, value, 'the template').ok)
        expect(toMachine(value as Template, smallRequest())).toHaveProperty('machine')
    })
  })
})
