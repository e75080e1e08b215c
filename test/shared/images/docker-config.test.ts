import { describe, expect, it } from 'vitest'
import { credentialsOf } from '../../../shared/images/docker-config.ts'

const repository = { host: 'registry.example.com', path: 'golden/rhel9' }
const auth = (username: string) => ({ auth: Buffer.from(`${username}:pass:word`).toString('base64') })
const nameIn = (auths: object) => credentialsOf(JSON.stringify({ auths }), repository)?.username

describe('credentialsOf', () => {
  it('reads user name and password, which may have a colon', () => {
    const text = JSON.stringify({ auths: { 'registry.example.com': auth('me') } })
    expect(credentialsOf(text, repository)).toEqual({ username: 'me', password: 'pass:word' })
  })

  it.each<[string, object, string | undefined]>([
    ['the host', { 'registry.example.com': auth('a') }, 'a'],
    ['fields of their own', { 'registry.example.com': { username: 'a', password: 'b' } }, 'a'],
    ['an address', { 'https://registry.example.com/v2/': auth('a') }, 'a'],
    ['the longest path', { 'registry.example.com': auth('a'), 'registry.example.com/golden': auth('b') }, 'b'],
    ['no path that only begins alike', { 'registry.example.com/gold': auth('a') }, undefined],
    ['no other host', { 'example.com': auth('a'), 'registry.example.com.evil': auth('b') }, undefined],
    ['no other port', { 'registry.example.com:5000': auth('a') }, undefined],
    ['no entry without a password', { 'registry.example.com': { auth: '' } }, undefined],
  ])('takes %s', (_, auths, username) => {
    expect(nameIn(auths)).toBe(username)
  })

  it.each(['', 'no JSON', '[]', '{"auths":7}', 'null'])('finds nothing in %j', (text) => {
    expect(credentialsOf(text, repository)).toBeUndefined()
  })
})
