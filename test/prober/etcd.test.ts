import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { kindsOn } from '../../local/clusters/kinds.ts'
import { load, save } from '../../local/clusters/saved.ts'
import { Store } from '../../local/clusters/store.ts'
import { openLedgers } from './etcd.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'drover-etcd-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

/** A cluster over the folder, as it is after a kill. */
async function begin() {
  const ledgers = await openLedgers(directory)
  const store = new Store({ kinds: kindsOn('hub'), saved: await load(directory, 'hub') })
  await ledgers.follow([{ name: 'hub', store }], () => save(directory, 'hub', store.save()))
  return { store, ledgers }
}

const space = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
const names = (store: Store) => store.list('Namespace').map(({ metadata }) => metadata.name)

it('a cluster that is killed finds all that it was, and goes on counting its versions', async () => {
  const { store } = await begin()
  for (const name of ['one', 'two', 'three']) store.create(space(name))
  store.remove('Namespace', '', 'two')
  const [first] = store.list('Namespace')
  if (first) store.setStatus(first, { phase: 'Active' })
  const { store: after } = await begin()
  expect(after.save()).toEqual(store.save())
})

it('a cluster that is killed in the middle of a line has all but that', async () => {
  const { store } = await begin()
  store.create(space('one'))
  const [ledger = ''] = readdirSync(directory).filter((file) => file.endsWith('.ledger'))
  appendFileSync(join(directory, ledger), '{"version":99,"gone":fal')
  expect(names((await begin()).store)).toEqual(['one'])
})

it('a ledger that is begun anew leaves nothing of those before', async () => {
  const { store, ledgers } = await begin()
  store.create(space('one'))
  await ledgers.follow([{ name: 'hub', store }], () => save(directory, 'hub', store.save()))
  store.create(space('two'))
  expect(readdirSync(directory).filter((file) => file.endsWith('.ledger'))).toHaveLength(1)
  expect(names((await begin()).store)).toEqual(['one', 'two'])
})
