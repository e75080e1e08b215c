import { describe, expect, it } from 'vitest'
import { makeForm } from '../../../bench/fleet/form.ts'
import { makeMachine } from '../../../bench/fleet/make.ts'
import { wordsOf } from '../../../bench/fleet/words.ts'

describe('the form of a machine', () => {
  it.each([1, 99, 12_345, 99_999])('is filled for number %i as Drover makes that machine', async (number) => {
    const [form, words] = [await makeForm(), wordsOf(number)]
    const { machine, namespace, starter } = await makeMachine([wordsOf(number - 1), words])
    expect(form.settled(words)).toEqual(machine.settled)
    expect(form.pending(words)).toEqual(machine.pending)
    expect(form.run(words)).toEqual(JSON.parse(JSON.stringify(machine.run)))
    expect(form.namespace(words)).toEqual(namespace)
    expect(form.starter).toEqual(starter)
    expect(Object.keys(form.committed(words))).toEqual(Object.keys(machine.committed))
  })
})
