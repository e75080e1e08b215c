import fc from 'fast-check'
import { expect, it } from 'vitest'
import { bytesOf, nameOf } from '../../../../shared/clients/git/name.ts'
import { makeWorld, writing } from './world.ts'

it('a name of any bytes goes back as it came', () => {
  const parts = fc.oneof(
    fc.uint8Array({ maxLength: 6 }),
    fc.constantFrom('é', '\uFFFD', '😀', '\u0000').map(Buffer.from),
  )
  fc.assert(
    fc.property(fc.array(parts), (given) => {
      const bytes = Buffer.concat(given)
      expect(bytesOf(nameOf(bytes, 0, bytes.length)).equals(bytes)).toBe(true)
    }),
  )
})

it.each(['café', '\uFFFD', '😀.yaml', 'plain'])('the name %j is text', (name) => {
  const bytes = Buffer.from(`x${name}x`)
  expect(nameOf(bytes, 1, bytes.length - 1)).toBe(name)
})

it('openFleet keeps and can remove what has a name that is no UTF-8, in every folder that it writes', async () => {
  const { open, git, commitBehind } = await makeWorld()
  await commitBehind({
    '"caf\\351.md"': '1',
    '"caf\\352.md"': '2',
    '"caf\\357\\277\\275.md"': '3',
    'vms/b': '4',
    '"vms/caf\\351.md"': '5',
    '"vms/\\377/deep"': '6',
  })
  const names = async () => (await git('ls-tree', '-r', '--name-only', 'main')).split('\n')
  const before = await names()
  expect(before).toHaveLength(6)
  const fleet = open()
  await fleet.transact(writing({ 'vms/a': 'new' }, 'one'))
  expect((await names()).sort()).toEqual([...before, 'vms/a'].sort())
  await git('fsck', '--strict')
  const [, , name] = (await (await fleet.head()).list('vms')).map((entry) => entry.name)
  await fleet.transact(writing({ [`vms/${name}`]: null }, 'two'))
  expect((await names()).sort()).toEqual([...before.filter((one) => one !== '"vms/caf\\351.md"'), 'vms/a'].sort())
})
