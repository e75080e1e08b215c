import { describe, expect, it } from 'vitest'
import { check } from '../../shared/schema/check.ts'
import { Network } from '../../shared/schema/fleet-files.ts'
import { requests } from '../../shared/schema/requests.ts'
import { smallRequest } from '../examples/starter.ts'
import { isSentence, swiftly } from './fuzz.ts'

/** As large as an event may be, and wrong all over: what is told of it is short, and found out at once. */

const many = <T>(count: number, of: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => of(index))
const named = (count: number, name: (index: number) => string) =>
  Object.fromEntries(many(count, (index) => [name(index), 1]))

const rows: [string, object][] = [
  ['fields that nobody knows', named(15_000, (index) => `field${index}`)],
  ['fields that are almost right', named(15_000, (index) => `namespace${index}`)],
  ['labels with bad keys', { labels: named(15_000, (index) => `a b${index}`) }],
  ['bad entries of a list', { customizations: many(19_000, () => 'A') }],
  ['entries of a list that has to have each once', { customizations: many(19_000, (index) => `a${index}`) }],
  ['objects in the place of texts', { customizations: many(9_000, (index) => ({ index })) }],
  ['bad entries within a choice', { placement: { clusterSets: many(19_000, () => 'A') } }],
  ['bad choices within a choice', { placement: { tolerations: many(9_000, () => ({ operator: 'x' })) } }],
  ['lists within lists', { placement: { predicates: many(300, () => ({ claims: many(30, () => ({ key: '-' })) })) } }],
  ['long texts', { name: 'a-'.repeat(30_000), requester: 'a'.repeat(30_000), ticket: '\u0430'.repeat(20_000) }],
]

describe('a request of 100 KB', () => {
  it.each(rows)('of %s is refused at once', (_, change) => {
    const checked = swiftly(() => check(requests.provision, { ...smallRequest(), ...change }, 'the request'))
    expect(checked).toMatchObject({ ok: false })
    const problems = checked.ok ? [] : checked.problems
    expect(problems.length).toBeGreaterThan(0)
    expect(problems.filter((problem) => !isSentence(problem))).toEqual([])
  })
})

describe('a file of the fleet', () => {
  it('with thousands of bad ranges is refused at once', () => {
    const network = {
      ...{ description: 'x', attachment: { namespace: 'a', name: 'b' }, domain: 'example.com' },
      subnets: [{ cidr: '10.0.0.0/8', exclude: many(15_000, () => 'a') }],
    }
    expect(swiftly(() => check(Network, network, 'the file'))).toMatchObject({ ok: false })
  })
})
