import { describe, expect, it } from 'vitest'
import { validate } from '../../../functions/validate/validate.ts'
import { asked, starterFiles } from '../../examples/starter.ts'
import { memoryFleet } from '../../fleet.ts'

const outcomeOf = (change: object) =>
  validate(asked({ namespace: 'shop', name: 'web-01', ...change }, { lifecycle: 'patch' }), memoryFleet(starterFiles()))

describe('a patch is refused before its machine is stopped', () => {
  it.each<[what: string, change: object, says: string]>([
    ['for a customization that there is not', { customizationName: 'none' }, 'wanted one that there is'],
    ['for one that says nothing of disks', { customizationName: 'base-linux' }, 'wanted its field "disk"'],
    ['for two at once', { customization: {}, customizationName: 'golden-rhel' }, 'wanted one of them'],
  ])('%s', async (_, change, says) => {
    expect(await outcomeOf(change)).toMatchObject({ kind: 'refused', message: expect.stringContaining(says) })
  })

  it('and for nothing else', async () => {
    for (const change of [{}, { customization: { update: true } }, { customizationName: 'golden-rhel' }])
      expect(await outcomeOf(change)).toMatchObject({ kind: 'succeeded' })
  })
})
