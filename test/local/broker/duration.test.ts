import { expect, it } from 'vitest'
import { parseDuration } from '../../../local/broker/duration.ts'

it.each([
  ['PT0.2S', 200],
  ['PT0M0.3S', 300],
  ['PT1H', 3_600_000],
  ['P1DT1M', 86_460_000],
  ['P1W', 604_800_000],
  ['P', undefined],
  ['PT', undefined],
  ['P1DT', undefined],
  ['PT-1S', undefined],
  ['2s', undefined],
])('parseDuration reads %s as %s milliseconds', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds)
})
