import { expect, it } from 'vitest'
import type { Clone } from '../../../../shared/clients/git/clone.ts'
import { land } from '../../../../shared/clients/git/land.ts'
import { openObjects } from '../../../../shared/clients/git/objects.ts'
import { publish } from '../../../../shared/clients/git/publish.ts'
import { counting, makeWorld, openIn } from './world.ts'

/** A push that may have gone through: what it brought must not be decided anew. */

const cut = { code: 1, timedOut: false, stdout: '', stderr: 'fatal: the remote end hung up unexpectedly' }
const full = () => Object.assign(new Error('write'), { code: 'ENOSPC' })

/** Lands a commit by a clone that differs from a real one. */
async function landBy(clone: Clone, differing: Partial<Clone>) {
  return land(
    {
      clone: Object.assign(Object.create(clone) as Clone, differing),
      treeAt: openObjects(clone).at,
      author: { name: 'Drover', email: 'drover@example.com' },
      ...{ tries: 10, patience: 20_000, ratePause: 10, signal: new AbortController().signal },
      note: () => undefined,
      redact: (text) => text,
    },
    [counting('a')],
  )
}

it('a push whose answer is lost is made once, also where our own disk is full when we look for it', async () => {
  const world = await makeWorld()
  await world.commitBehind({ counter: '10' })
  const clone = openIn(world)
  let looks = 0
  const endings = await landBy(clone, {
    push: async (commit, base) => ({ ...(await clone.push(commit, base)), ...cut }),
    fetch: async () => {
      if (++looks <= 2) throw full()
      return clone.fetch()
    },
  })
  expect(endings).toMatchObject([{ created: true, value: 11 }])
  expect([await world.git('show', 'main:counter'), await world.git('rev-list', '--count', 'main')]).toEqual(['11', '2'])
})

it('what was to be pushed from a clone that was replaced meanwhile is written into the new one', async () => {
  const world = await makeWorld()
  await world.commitBehind({ counter: '10' })
  const clone = openIn(world)
  let pushes = 0
  const endings = await landBy(clone, {
    push: async (commit, base) => {
      if (++pushes === 1) await clone.remake('it has been used for long')
      return clone.push(commit, base)
    },
  })
  expect(endings).toMatchObject([{ created: true, value: 11 }])
  expect([pushes, clone.remakes, await world.git('show', 'main:counter')]).toEqual([2, 1, '11'])
})

it.each<[string, Partial<Clone>]>([
  ['the history cannot be fetched', { deepen: async () => ({ ...cut, code: 128 }) }],
  ['git is killed over it', { git: async () => ({ ...cut, code: undefined }) }],
])('it is not said that a push has failed where %s', async (_, differing) => {
  const clone = {
    remakes: 1,
    push: async () => cut,
    fetch: async () => ({ commit: 'of others' }),
    git: async () => cut,
    deepen: async () => ({ ...cut, code: 0 }),
    ...differing,
  } as unknown as Clone
  const plan = { base: { commit: 'base' }, verdicts: [], commits: ['ours'], remakes: 0 }
  await expect(publish({ clone, redact: (text) => text }, plan, true)).rejects.toMatchObject({
    reason: 'busy',
    message: 'Cannot push to the fleet repository: it cannot be told whether an earlier push went through',
  })
})
