import { describe, expect, it } from 'vitest'
import { allocateStep } from '../../../functions/allocate/step.ts'
import { nameFile } from '../../../shared/paths.ts'
import type { Machine } from '../../../shared/schema/machine.ts'
import type { Facts } from '../../../shared/step.ts'
import { runOf, starterFiles } from '../../examples/starter.ts'
import { memoryFleet } from '../../fleet.ts'
import { hereOf } from '../here.ts'

describe('allocate', () => {
  it('reserves a name, then addresses, and releases these, each by one commit', async () => {
    const files = starterFiles()
    const fleet = memoryFleet(files)
    let facts: Facts = { machine: { networks: [{ network: 'servers' }] } as Machine }
    const said: string[] = []
    for (const task of ['name', 'address', 'release']) {
      const outcome = await allocateStep(fleet)(runOf({ task, facts }), hereOf().here)
      facts = { ...facts, ...(outcome.kind === 'succeeded' ? outcome.facts : {}) }
      said.push(outcome.message)
    }
    expect(said).toEqual([
      'Reserved the name prod-shop-001',
      'Reserved 10.20.0.16, fd00:20::10 for prod-shop-001',
      'Released 10.20.0.16, fd00:20::10 and the DNS names of prod-shop-001',
    ])
    expect(fleet.commits.map(({ trailers }) => trailers.step)).toEqual(['name', 'address', 'release'])
    const left = Object.keys(await fleet.files()).filter((path) => !(path in files))
    expect(left.sort()).toEqual([nameFile('prod-shop-001'), `runs/${runOf().id}.yaml`])
  })

  it('cannot read a task that is another function’s', async () => {
    await expect(allocateStep(memoryFleet())(runOf({ task: 'place' }), hereOf().here)).rejects.toMatchObject({
      reason: 'unreadable',
      message: 'Cannot allocate: place is no task of it',
    })
  })
})
