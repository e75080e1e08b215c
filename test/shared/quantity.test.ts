import { describe, expect, it } from 'vitest'
import { bytes, canonical } from '../../shared/quantity.ts'

describe('a quantity', () => {
  it.each([
    ['512Mi', 512 * 2 ** 20],
    ['4Gi', 4 * 2 ** 30],
    ['2Ti', 2 * 2 ** 40],
    ['1.5Gi', 1.5 * 2 ** 30],
    ['1Ki', 1024],
    ['2Pi', 2 * 2 ** 50],
    ['1Ei', 2 ** 60],
    ['1P', 1e15],
    ['30G', 30e9],
    ['11381663335', 11381663335],
  ])('%s is %i bytes', (quantity, number) => {
    expect(bytes(quantity)).toBe(number)
  })

  // As ParseQuantity(…).String() of k8s.io/apimachinery answers.
  it.each([
    ['1Gi', '1Gi'],
    ['512Mi', '512Mi'],
    ['1025Mi', '1025Mi'],
    ['1024Ki', '1Mi'],
    ['1Mi', '1Mi'],
    ['4096Mi', '4Gi'],
    ['20480Mi', '20Gi'],
    ['2048Gi', '2Ti'],
    ['1048576Mi', '1Ti'],
    ['2048Ti', '2Pi'],
    ['1048576Ti', '1Ei'],
    ['1.5Gi', '1536Mi'],
    ['1.0Gi', '1Gi'],
    ['0.5Ki', '512'],
    ['1000M', '1G'],
    ['500M', '500M'],
    ['1024M', '1024M'],
    ['1.5G', '1500M'],
    ['1073741824', '1073741824'],
    ['1000000', '1M'],
    ['999999999Mi', '999999999Mi'],
    ['0Gi', '0'],
  ])('%s is written back by Kubernetes as %s', (quantity, written) => {
    expect(canonical(quantity)).toBe(written)
    expect(canonical(written)).toBe(written)
    expect(bytes(written)).toBe(bytes(quantity))
  })

  it.each(['large', '', '1Zi', '0.3Ki'])('that is no whole number of bytes stays as it is: "%s"', (text) => {
    expect(canonical(text)).toBe(text)
  })
})
