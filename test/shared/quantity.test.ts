import { describe, expect, it } from 'vitest'
import { bytes } from '../../shared/quantity.ts'

describe('a quantity', () => {
  it.each([
    ['512Mi', 512 * 2 ** 20],
    ['4Gi', 4 * 2 ** 30],
    ['2Ti', 2 * 2 ** 40],
    ['1.5Gi', 1.5 * 2 ** 30],
    ['30G', 30e9],
    ['11381663335', 11381663335],
  ])('%s is %i bytes', (quantity, number) => {
    expect(bytes(quantity)).toBe(number)
  })
})
