import { describe, expect, it } from 'vitest'
import type { Ended } from '../prober/requester.ts'
import { workProblems } from './work.ts'

/** A life of which runs have ended in these ways. */
const ended = (...terminals: Ended['terminal'][]) => {
  const asked = { lifecycle: 'power', data: {}, expected: 'completed', id: 'one', run: 'a'.repeat(20) } as const
  const rest = { data: {}, isHeard: true, reposts: 0, milliseconds: 1 }
  const life = { name: 'm1', about: 'machine' as const, waves: [] }
  return [{ life, ended: terminals.map((terminal) => ({ asked, terminal, ...rest })) }]
}

describe('what was done while numbers were taken', () => {
  it('is enough where runs have completed all the time, and some were undone', () => {
    expect(workProblems(ended('completed', 'rolledback', 'completed'), 1, 2)).toEqual([])
  })

  it('is too little where hardly one has completed', () => {
    expect(workProblems(ended('rolledback', 'completed', 'rolledback'), 1, 2)).toEqual([
      'only 1 runs have completed, wanted 2 at least',
    ])
    expect(workProblems([], 0.5, 1)).toEqual(['only 0 runs have completed, wanted 1 at least'])
  })

  it.each<Ended['terminal']>(['missing', 'stranded'])('is told of where a run is %s', (terminal) => {
    expect(workProblems(ended('completed', terminal), 1, 1)).toEqual([
      `power one, run ${'a'.repeat(20)}: it is ${terminal}`,
    ])
  })
})
