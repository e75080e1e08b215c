import { describe, expect, it } from 'vitest'
import type { Comparison } from '../../bench/benchmark.ts'
import { chart } from '../../bench/chart.ts'
import { toRow } from '../../bench/result.ts'

const compared = (change: Partial<Comparison> = {}): Comparison => ({
  what: 'a <step>',
  unit: 'ms',
  statistic: 'median',
  drover: [30, 10, 20],
  reference: [10, 5, 20],
  limit: { times: 2 },
  ...change,
})

describe('a comparison is judged', () => {
  it.each([
    ['by the middle sample', compared(), { ratio: 2, held: true }],
    ['as missed above its limit', compared({ limit: { times: 1.9 } }), { ratio: 2, held: false }],
    ['by the latest of a hundred', compared({ statistic: 'p99', limit: { times: 1.5 } }), { ratio: 1.5, held: true }],
    ['by an absolute limit', compared({ reference: [], limit: { most: 19 } }), { held: false }],
  ])('%s', (_, comparison, expected) => {
    expect(toRow(comparison)).toMatchObject(expected)
  })

  it('not at all without a limit', () => {
    const { limit: _, ...rest } = compared()
    expect(toRow(rest)).not.toHaveProperty('held')
  })
})

describe('a chart', () => {
  const machine = {
    cores: 2,
    model: 'x',
    memory: '1 GiB',
    node: '24',
    git: '2',
    date: '2030-01-01',
    commit: 'abc',
    load: 1,
  }
  const about = { name: 'x', title: 'Steps & more', measures: 'x', reference: '`git`', machine }
  const drawn = chart({ ...about, rows: [toRow(compared()), toRow(compared({ limit: { times: 1 } }))] })

  it('says in words what it shows, and shows no mark-up of its words', () => {
    expect(drawn).toContain('a &lt;step&gt;: 20 ms beside 10, 2 x, limit 2 x.')
    expect(drawn).toContain('Steps &amp; more')
  })

  it('tells what is missed from what is held', () => {
    expect([...drawn.matchAll(/<rect class="(drover|missed)"/g)].map(([, kind]) => kind)).toEqual(['drover', 'missed'])
  })

  it('can be read by day and by night', () => {
    expect(drawn).toContain('prefers-color-scheme: dark')
  })
})
