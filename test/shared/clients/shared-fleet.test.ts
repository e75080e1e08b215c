import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { shareFleet } from '../../../shared/clients/shared-fleet.ts'
import { makeWorld, TOKEN, writing } from './git/world.ts'

it('functions of one process share a clone, until the last of them has closed it', async () => {
  const { host, directory, commitBehind } = await makeWorld()
  await commitBehind({ a: '1' })
  const cache = join(directory, 'cache')
  const author = { name: 'Drover', email: 'drover@example.com' }
  const share = () => shareFleet({ url: host.plainUrl, branch: 'main', token: TOKEN, directory: cache, author })
  const [one, other] = [share(), share()]
  await one.transact(writing({ b: '2' }))
  expect(await (await other.head()).read('b')).toBe('2')
  expect(await readdir(cache)).toHaveLength(1)
  await one.close()
  await one.close()
  expect(await (await other.head()).read('b')).toBe('2')
  await other.close()
  expect(await readdir(cache)).toHaveLength(0)
  const next = share()
  expect(await (await next.head()).read('b')).toBe('2')
  await next.close()
})
