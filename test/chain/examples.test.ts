import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LifecycleName, lifecycles, makesImage } from '../../shared/lifecycles.ts'
import { type Chain, startChain } from './harness.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain({ DROVER_GRACE_SECONDS: '2' })
})
afterAll(() => chain.close())

const example = (name: LifecycleName) => JSON.parse(readFileSync(`examples/${name}.json`, 'utf8'))

/** In the order of a life: each is a request for the machine that the first one makes. A snapshot is of the root disk of then. */
const life: LifecycleName[] = [
  ...([
    'golden-image',
    'provision',
    'snapshot',
    'patch',
    'restore',
    'resize',
    'power',
    'migrate',
    'clone',
    'repave',
  ] as const),
  'deprovision',
]

describe('the examples', () => {
  it('are there for each lifecycle', () => {
    expect([...life].sort()).toEqual(lifecycles.map(({ name }) => name).sort())
  })

  it.each(life)('%s.json completes, in the order of a life', async (lifecycle) => {
    const { type, data } = example(lifecycle)
    expect(type).toBe(`dev.drover.${lifecycle}.requested`)
    const { ended } = await chain.request(data, { lifecycle })
    const { type: end, data: said } = await ended
    const about = makesImage(lifecycle) ? 'golden/rhel9' : 'prod-shop-'
    expect([end, said.message]).toEqual([`dev.drover.${lifecycle}.completed`, expect.stringContaining(about)])
  })
})
