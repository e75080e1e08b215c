import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeAuthority } from '../../../local/clusters/certificate.ts'
import { rejection } from './git/errors.ts'
import { counting, makeWorld, TOKEN, type World } from './git/world.ts'

const ours = makeAuthority('Ours')
const another = makeAuthority('Another')

describe('openFleet over HTTPS', () => {
  it('reads and pushes when DROVER_GIT_CA_FILE names the authority of the server, among others', async () => {
    const world = await makeWorld({ tls: ours.issueFor(['127.0.0.1']) })
    const ca = await world.file('ca.pem', another.certificate + ours.certificate)
    const fleet = world.openBy({ DROVER_GIT_TOKEN: TOKEN, DROVER_GIT_CA_FILE: ca })
    await fleet.transact(counting('a'))
    expect(await (await fleet.head()).read('counter')).toBe('1')
    expect(await world.git('show', 'main:counter')).toBe('1')
  })

  const unknown =
    "Cannot read the fleet repository: the Git server's certificate cannot be verified: DROVER_GIT_CA_FILE must name a file with the certificate of the authority that issued it"
  it.each<[string, (world: World) => Promise<string | undefined>, string]>([
    ['no authority is named', async () => undefined, unknown],
    ['another authority is named', ({ file }) => file('ca.pem', another.certificate), unknown],
    [
      'the file has gone',
      async ({ directory }) => join(directory, 'gone'),
      'Cannot read the fleet repository: the file of DROVER_GIT_CA_FILE cannot be read or holds no certificate',
    ],
  ])('sends nothing, and says what to do, when %s', async (_, fileIn, sentence) => {
    const world = await makeWorld({ tls: ours.issueFor(['127.0.0.1']) })
    const caFile = await fileIn(world)
    const fleet = world.open({ tries: 2, ...(caFile ? { caFile } : {}) })
    for (const call of [() => fleet.head(), () => fleet.transact(counting('a'))]) {
      const error = await rejection(call())
      expect([error.reason, error.message]).toEqual(['broken', sentence])
    }
    expect(world.host.answered).toEqual([])
  })

  it('sends nothing to a server whose certificate is for another host, and says so', async () => {
    const world = await makeWorld({ tls: ours.issueFor(['git.example.com', '127.0.0.2']) })
    const fleet = world.open({ tries: 2, caFile: await world.file('ca.pem', ours.certificate) })
    const error = await rejection(fleet.transact(counting('a')))
    expect([error.reason, error.message]).toEqual([
      'broken',
      "Cannot read the fleet repository: the Git server's certificate is for another host: DROVER_GIT_URL must name a host that the certificate is for",
    ])
    expect(world.host.answered).toEqual([])
  })

  it('takes up an authority that changes while it runs', async () => {
    const world = await makeWorld({ tls: ours.issueFor(['127.0.0.1']) })
    const caFile = await world.file('ca.pem', another.certificate)
    const fleet = world.open({ tries: 2, caFile })
    await rejection(fleet.transact(counting('a')))
    await world.file('ca.pem', ours.certificate)
    await fleet.transact(counting('a'))
    expect(await world.git('show', 'main:counter')).toBe('1')
  })

  it('is not talked out of verifying by the environment', async () => {
    const world = await makeWorld({ tls: ours.issueFor(['127.0.0.1']) })
    const ca = await world.file('ca.pem', ours.certificate)
    const fleet = world.openBy({ GIT_SSL_NO_VERIFY: 'true', GIT_SSL_CAINFO: ca })
    expect((await rejection(fleet.head())).message).toBe(unknown)
  })
})
