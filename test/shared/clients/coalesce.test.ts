import { describe, expect, it } from 'vitest'
import { coalesce } from '../../../shared/clients/coalesce.ts'

describe('coalesce', () => {
  it('shares one run between those who ask while another is under way, begun after they asked', async () => {
    const ends: ((value: number) => void)[] = []
    const ask = coalesce(() => new Promise<number>((resolve) => ends.push(resolve)))
    const first = ask()
    const others = [ask(), ask(), ask()]
    expect(ends).toHaveLength(1)
    ends[0]?.(1)
    expect(await first).toBe(1)
    await new Promise((resolve) => setImmediate(resolve))
    expect(ends).toHaveLength(2)
    ends[1]?.(2)
    expect(await Promise.all(others)).toEqual([2, 2, 2])
  })

  it('goes on after a run that failed', async () => {
    let count = 0
    const ask = coalesce(async () => {
      if (count++ === 0) throw new Error('down')
      return count
    })
    const results = await Promise.allSettled([ask(), ask()])
    expect(results).toMatchObject([{ reason: { message: 'down' } }, { value: 2 }])
  })
})
