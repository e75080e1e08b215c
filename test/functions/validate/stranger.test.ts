import { describe, expect, it } from 'vitest'
import type { Unproved } from '../../../functions/validate/unproved.ts'
import { validate } from '../../../functions/validate/validate.ts'
import { DroverError } from '../../../shared/errors.ts'
import type { Rights } from '../../../shared/grants.ts'
import { nameFile } from '../../../shared/paths.ts'
import { toYaml } from '../../../shared/yaml.ts'
import { asked, smallRequest, starterFiles } from '../../examples/starter.ts'
import { memoryFleet } from '../../fleet.ts'

const requesters = 'policy/requesters.yaml'
const ofPolicy = (rules: object, namespaces?: string[]) =>
  toYaml({ description: 'who may ask', ...(namespaces && { namespaces }), rules })

/** A hub that grants just this, and notes what it is asked. */
function hubGranting(granted: string) {
  const questions: string[] = []
  const rights: Rights = {
    may: async (...question) => {
      questions.push(question.join(' '))
      return question.join(' ') === granted
    },
  }
  return { rights, questions }
}

const outcomeOf = (request: object, policy: string | undefined, rights?: Rights, run: Partial<Unproved> = {}) => {
  const { [requesters]: _, ...others } = starterFiles()
  const files = policy === undefined ? others : { ...others, [requesters]: policy }
  return validate(asked(request, run), memoryFleet(files), rights)
}
const byAnn = { ...smallRequest(), requester: 'ann@example.com' }

describe('validate', () => {
  it('grants nothing to anybody where no policy says who may ask', async () => {
    expect(await outcomeOf(byAnn, undefined)).toEqual({
      kind: 'refused',
      message:
        'Cannot grant the request: namespace is "shop", wanted one for which a policy says who may ask: none has allowSources or allowRequesters here',
      facts: {},
    })
  })

  it('grants nothing where a policy says so for other namespaces alone', async () => {
    const outcome = await outcomeOf(byAnn, ofPolicy({ allowSources: ['*'] }, ['office']))
    expect(outcome).toMatchObject({ kind: 'refused', message: expect.stringContaining('says who may ask') })
  })

  it('grants a request by a source and a requester that policy names', async () => {
    const policy = ofPolicy({ allowSources: ['/portal'], allowRequesters: ['ann@*'] })
    expect(await outcomeOf(byAnn, policy)).toMatchObject({ kind: 'succeeded' })
  })

  it('goes by who posted the event, not by what its data claims', async () => {
    const policy = ofPolicy({ allowSources: ['/portal'] })
    const outcome = await outcomeOf({ ...byAnn, requester: '/portal' }, policy, undefined, { source: '/somebody' })
    expect(outcome.message).toContain('source is "/somebody", wanted "/portal" (policy: who may ask)')
  })

  it('tells a stranger nothing else of the fleet, and calls nobody for them', async () => {
    const request = {
      ...byAnn,
      name: 'web-1',
      template: 'linux-smal',
      networks: [{ network: 'dmz' }],
      callback: { url: 'https://hooks.example.com/drover' },
    }
    const { [requesters]: _, ...others } = starterFiles()
    const taken = { [nameFile('web-1')]: toYaml({ name: 'web-1', run: 'x', namespace: 'secret', since: 'x' }) }
    const policy = { [requesters]: ofPolicy({ allowRequesters: ['bob'] }) }
    expect(await validate(asked(request), memoryFleet({ ...others, ...taken, ...policy }))).toEqual({
      kind: 'refused',
      message: 'Cannot grant the request: requester is "ann@example.com", wanted "bob" (policy: who may ask)',
      facts: {},
    })
  })

  it('tells nobody of the fleet for a request whose own words are wrong', async () => {
    const outcome = await outcomeOf(
      { ...byAnn, template: 'linux-smal', nonsense: 1 },
      ofPolicy({ allowSources: ['*'] }),
    )
    expect(outcome).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('nonsense is not a known field'),
    })
    expect(outcome.message).not.toContain('windows-server')
  })

  it('refuses everybody while a policy cannot be read: it might have refused them', async () => {
    const outcome = await outcomeOf({ ...byAnn, template: 'linux-smal' }, 'description: [')
    expect(outcome).toMatchObject({ kind: 'refused', message: expect.stringContaining(requesters) })
    expect(outcome.message).not.toContain('windows-server')
  })

  it('asks the hub where it is told to, and needs no policy besides', async () => {
    const { rights, questions } = hubGranting('ann@example.com provision shop')
    expect(await outcomeOf(byAnn, undefined, rights)).toMatchObject({ kind: 'succeeded' })
    expect(questions).toEqual(['ann@example.com provision shop'])
  })

  it('refuses whom the hub does not grant it, whatever policy says', async () => {
    const { rights } = hubGranting('bob provision shop')
    expect(await outcomeOf(byAnn, ofPolicy({ allowSources: ['*'] }), rights)).toEqual({
      kind: 'refused',
      message:
        'Cannot grant the request: requester is "ann@example.com", wanted somebody whom the hub grants "provision" on machines.drover.dev in namespace "shop"',
      facts: {},
    })
  })

  it('does not ask the hub about whom policy refuses', async () => {
    const { rights, questions } = hubGranting('ann@example.com provision shop')
    expect(await outcomeOf(byAnn, ofPolicy({ allowSources: ['/tickets'] }), rights)).toMatchObject({ kind: 'refused' })
    expect(questions).toEqual([])
  })

  it('asks about the source where a request names nobody', async () => {
    const { rights, questions } = hubGranting('/portal provision shop')
    expect(await outcomeOf(smallRequest(), undefined, rights)).toMatchObject({ kind: 'succeeded' })
    expect(questions).toEqual(['/portal provision shop'])
  })

  it('grants nothing while the hub cannot say: it is asked again', async () => {
    const rights: Rights = { may: () => Promise.reject(new DroverError('broken', 'Cannot find out')) }
    await expect(outcomeOf(byAnn, ofPolicy({ allowSources: ['*'] }), rights)).rejects.toMatchObject({
      reason: 'broken',
    })
  })
})
