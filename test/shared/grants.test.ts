import { describe, expect, it } from 'vitest'
import { type Asker, grantProblems, isGranted } from '../../shared/grants.ts'
import { check } from '../../shared/schema/check.ts'
import { Policy } from '../../shared/schema/fleet-files.ts'

const policy = (rules: Policy['rules'], namespaces?: string[]): Policy => ({
  description: 'who may ask',
  ...(namespaces && { namespaces }),
  rules,
})
const ann: Asker = { namespace: 'shop', source: '/portal', requester: 'ann@example.com' }

describe('a policy grants', () => {
  it.each<[string, Policy['rules'], Partial<Asker>]>([
    ['a source by name', { allowSources: ['/portal'] }, {}],
    ['a source by its beginning', { allowSources: ['/tickets', '/port*'] }, {}],
    ['a requester of a company', { allowRequesters: ['*@example.com'] }, {}],
    ['somebody under any name', { allowRequesters: ['*'] }, { requester: 'CN=Ann Lee, O=Example' }],
    ['a name with signs in it', { allowRequesters: ['kube:admin (Ann) [1]'] }, { requester: 'kube:admin (Ann) [1]' }],
    ['both', { allowSources: ['/portal'], allowRequesters: ['ann@*'] }, {}],
  ])('%s', (_, rules, change) => {
    expect(grantProblems([policy(rules)], { ...ann, ...change })).toEqual([])
  })

  it.each<[string, Policy['rules'], Partial<Asker>, string]>([
    ['another source', { allowSources: ['/tickets'] }, {}, 'source is "/portal", wanted "/tickets"'],
    [
      'a source that only begins alike',
      { allowSources: ['/portal'] },
      { source: '/portal/x' },
      'source is "/portal/x"',
    ],
    ['no source', { allowSources: ['/portal'] }, { source: '' }, 'source is "", wanted "/portal"'],
    [
      'a requester of another company',
      { allowRequesters: ['*@example.com', 'bob'] },
      { requester: 'ann@example.com.evil.org' },
      'requester is "ann@example.com.evil.org", wanted one of "*@example.com" and "bob"',
    ],
    [
      'who did not say their name',
      { allowRequesters: ['*@example.com'] },
      { requester: '/portal' },
      'requester is "/portal", wanted "*@example.com"',
    ],
    ['anybody at all', { allowRequesters: [] }, {}, 'requester is "ann@example.com", wanted none'],
    [
      'a name that is written otherwise',
      { allowRequesters: ['Ann@example.com'] },
      {},
      'requester is "ann@example.com"',
    ],
    ['who takes a star for a name', { allowRequesters: ['ann'] }, { requester: '*' }, 'requester is "*", wanted "ann"'],
  ])('not %s', (_, rules, change, sentence) => {
    const [problem, ...more] = grantProblems([policy(rules)], { ...ann, ...change })
    expect(problem).toContain(sentence)
    expect(problem).toMatch(/ \(policy: who may ask\)$/)
    expect(more).toEqual([])
  })

  it('only when every policy in force does, and for its namespaces alone', () => {
    const all = policy({ allowSources: ['*'] })
    const shop = policy({ allowRequesters: ['bob'] }, ['shop*'])
    expect(grantProblems([all, shop], ann)).toHaveLength(1)
    expect(grantProblems([all, shop], { ...ann, requester: 'bob' })).toEqual([])
    expect(grantProblems([all, shop], { ...ann, namespace: 'office' })).toEqual([])
  })

  it.each<[Policy['rules'], string[] | undefined, boolean]>([
    [{}, undefined, false],
    [{ allowNamespaces: ['*'], maxCores: 1 }, undefined, false],
    [{ allowSources: ['*'] }, undefined, true],
    [{ allowRequesters: [] }, undefined, true],
    [{ allowSources: ['*'] }, ['office'], false],
    [{ allowSources: ['*'] }, ['sh*'], true],
  ])('by %j for %j says who may ask in "shop": %s', (rules, namespaces, granted) => {
    expect(isGranted([policy(rules, namespaces)], 'shop')).toBe(granted)
  })

  it.each([
    ['', false],
    ['ann\nbob', false],
    ['ännchen', false],
    ['x'.repeat(257), false],
    ['CN=Ann Lee, O=Example', true],
  ])('to "%s" can be written: %s', (who, fits) => {
    for (const rule of ['allowSources', 'allowRequesters'])
      expect(check(Policy, policy({ [rule]: [who] }), 'the policy').ok).toBe(fits)
  })
})
