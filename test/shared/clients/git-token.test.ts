import { describe, expect, it } from 'vitest'
import { fullText, rejection } from './git/errors.ts'
import { mountSecret } from './git/mount.ts'
import { counting, makeWorld, TOKEN } from './git/world.ts'

const NEW = 'canary-rotated-77aa'

/** A server that knows one token, and a client that reads it from a mounted Secret. */
async function makeMounted() {
  let known = () => TOKEN
  const world = await makeWorld({ token: () => known() })
  const secret = mountSecret(world.directory, { token: `${TOKEN}\n` })
  const fleet = world.openBy({ DROVER_GIT_TOKEN_FILE: secret.path('token') })
  const denied = () => world.host.answered.filter((status) => status === 401).length
  /** The server knows another one from now on; something may be done when it is asked for the first time. */
  const rotate = (once?: () => void) => {
    let first = true
    known = () => {
      if (first) once?.()
      first = false
      return NEW
    }
  }
  return { ...world, secret, fleet, denied, rotate }
}

describe('openFleet, with a token from a mounted Secret', () => {
  it('uses the new token at its next command, and never the old one again', async () => {
    const { fleet, secret, rotate, denied, git } = await makeMounted()
    await fleet.transact(counting('a'))
    secret.write({ token: NEW })
    rotate()
    await fleet.transact(counting('b'))
    expect([await (await fleet.head()).read('counter'), await git('show', 'main:counter'), denied()]).toEqual([
      '2',
      '2',
      0,
    ])
  })

  it('does a fetch again that came a moment too late with the old token', async () => {
    const { fleet, secret, rotate, denied } = await makeMounted()
    const { revision } = await fleet.transact(counting('a'))
    rotate(() => secret.write({ token: NEW }))
    expect([(await fleet.head()).revision, denied()]).toEqual([revision, 1])
  })

  it('does a push again that came a moment too late with the old token, and makes its commit once', async () => {
    const { fleet, secret, rotate, denied, git } = await makeMounted()
    await fleet.transact(counting('a'))
    const transaction = counting('b')
    const decide: typeof transaction.decide = async (tree) => {
      const decision = await transaction.decide(tree)
      rotate(() => secret.write({ token: NEW }))
      return decision
    }
    expect(await fleet.transact({ ...transaction, decide })).toMatchObject({ created: true, value: 2 })
    expect([await git('show', 'main:counter'), await git('rev-list', '--count', 'main'), denied()]).toEqual([
      '2',
      '2',
      1,
    ])
  })

  it('says that the token is not accepted while the Secret has not changed, shows none, and goes on when it has', async () => {
    const { fleet, secret, rotate, git } = await makeMounted()
    await fleet.transact(counting('a'))
    rotate()
    const error = await rejection(fleet.transact(counting('b')))
    expect([error.reason, error.message]).toEqual([
      'broken',
      'Cannot read the fleet repository: the Git server does not accept our credentials',
    ])
    expect(fullText(error)).not.toMatch(/canary/)
    secret.write({ token: NEW })
    await fleet.transact(counting('b'))
    expect([await git('show', 'main:counter'), await git('rev-list', '--count', 'main')]).toEqual(['2', '2'])
  })

  it('reads a file that the clone does not hold with the token of that moment', async () => {
    const { fleet, secret, rotate, commitBehind } = await makeMounted()
    await commitBehind({ 'large.txt': 'x'.repeat(100_000), small: '1' })
    const tree = await fleet.head()
    expect(await tree.read('small')).toBe('1')
    secret.write({ token: NEW })
    rotate()
    expect((await tree.read('large.txt'))?.length).toBe(100_000)
  })

  it.each([
    ['is empty', '', 'Cannot read a secret: the file of DROVER_GIT_TOKEN_FILE is empty'],
    ['has gone', undefined, 'Cannot read a secret: the file of DROVER_GIT_TOKEN_FILE cannot be read'],
  ])('sends nothing without a token when its file %s', async (_, content, sentence) => {
    const { fleet, secret, host } = await makeMounted()
    secret.write(content === undefined ? {} : { token: content })
    const error = await rejection(fleet.transact(counting('a')))
    expect([error.reason, error.message, host.answered]).toEqual(['broken', sentence, []])
  })
})
