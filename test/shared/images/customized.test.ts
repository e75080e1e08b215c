import { describe, expect, it } from 'vitest'
import { toCustomized } from '../../../shared/images/customized.ts'

const unsaid = { done: false, reason: 'the pod ended without saying why' }
const packages = { before: 2, changes: 1, changed: ['a 1 -> 2'], truncated: false }

describe('toCustomized', () => {
  it.each<[string, string, object]>([
    ['a report', JSON.stringify(packages), { done: true, packages }],
    ['an end without one', '{}', unsaid],
    ['a reason', '{"reason":"the disk is full"}', { done: false, reason: 'the disk is full' }],
    ['nothing, as after a kill', '', unsaid],
    ['what is no JSON', 'Killed', unsaid],
    ['what somebody else wrote', '{"before":-1}', unsaid],
    ['a list', '[]', unsaid],
  ])('reads %s', (_, message, customized) => {
    expect(toCustomized(message)).toEqual(customized)
  })
})
