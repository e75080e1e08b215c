import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { callbackPoster } from '../../../shared/clients/callback.ts'
import { isPublic } from '../../../shared/inside.ts'
import { type Asked, listening } from './listening.ts'

let url = ''
let asked: Asked[]
let close: () => Promise<void>
beforeAll(async () => {
  const server = await listening(({ path }) =>
    path === '/redirect' ? { status: 302, headers: { location: '/target' } } : { status: 204 },
  )
  url = server.url
  asked = server.asked
  close = server.close
})
afterAll(() => close())

const careful = callbackPoster({ reach: 'public' })
const open = callbackPoster({ reach: 'loopback' })
const json = { 'content-type': 'application/json' }

describe('an address is of the public Internet', () => {
  it.each<[string, boolean]>([
    ['93.184.216.34', true],
    ['2606:2800:220:1::1', true],
    ['127.0.0.1', false],
    ['0.0.0.0', false],
    ['10.1.2.3', false],
    ['172.16.0.1', false],
    ['192.168.1.1', false],
    ['169.254.169.254', false],
    ['100.64.0.1', false],
    ['198.18.0.1', false],
    ['192.0.2.1', false],
    ['168.63.129.16', false],
    ['224.0.0.1', false],
    ['240.0.0.1', false],
    ['255.255.255.255', false],
    ['::', false],
    ['::1', false],
    ['::ffff:127.0.0.1', false],
    ['::ffff:10.0.0.1', false],
    ['::127.0.0.1', false],
    ['64:ff9b::a00:1', false],
    ['64:ff9b:1::a00:1', false],
    ['2002:7f00:1::', false],
    ['2001::1', false],
    ['2001:db8::1', false],
    ['fe80::1', false],
    ['fec0::1', false],
    ['fd00::1', false],
    ['ff02::1', false],
  ])('%s: %s', (address, is) => {
    expect(isPublic(address)).toBe(is)
  })
})

describe('a callback', () => {
  it.each<[string, string]>([
    ['http://93.184.216.34/', 'wanted https'],
    ['ftp://example.com/', 'wanted https'],
    ['file:///etc/passwd', 'wanted https'],
    ['https://user@example.com/', 'it holds a user name or password'],
    ['https://user:hunter2@example.com/', 'it holds a user name or password'],
    ['https://127.0.0.1/', 'it is not a public address'],
    ['https://2130706433/', 'it is not a public address'],
    ['https://0x7f.1/', 'it is not a public address'],
    ['https://127.1/', 'it is not a public address'],
    ['https://0177.0.0.1/', 'it is not a public address'],
    ['https://[::1]/', 'it is not a public address'],
    ['https://[::ffff:169.254.169.254]/', 'it is not a public address'],
    ['https://１２７.0.0.1/', 'it is not a public address'],
    ['https://localhost/', 'it is not a public address'],
    ['https://LOCALHOST/', 'it is not a public address'],
  ])('to %s is refused', async (to, why) => {
    const error = await careful.post(to, json, '{}').catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ reason: 'refused', message: expect.stringContaining(why) })
    expect((error as Error).message).not.toContain('hunter2')
  })

  it('is posted where loopback is allowed', async () => {
    expect(await open.post(`${url}/hook?x=1`, json, '{"a":1}')).toBe(204)
    expect(asked.at(-1)).toMatchObject({ method: 'POST', path: '/hook?x=1', headers: json, body: '{"a":1}' })
  })

  it('is posted to a name that is resolved', async () => {
    expect(await open.post(url.replace('127.0.0.1', 'localhost'), json, '{}')).toBe(204)
  })

  it('follows no redirect', async () => {
    expect(await open.post(`${url}/redirect`, json, '{}')).toBe(302)
    expect(asked.map(({ path }) => path)).not.toContain('/target')
  })

  it('is tried again when nobody answers', async () => {
    await expect(open.post('http://127.0.0.1:1/', json, '{}')).rejects.toMatchObject({
      reason: 'broken',
      message: 'Cannot call back 127.0.0.1:1',
    })
  })

  it('names no user even where private addresses are allowed', async () => {
    await expect(open.post(url.replace('//', '//a:b@'), json, '{}')).rejects.toThrow('it holds a user name')
  })
})
