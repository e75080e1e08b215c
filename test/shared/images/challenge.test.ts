import { describe, expect, it } from 'vitest'
import { parseChallenge } from '../../../shared/images/challenge.ts'

const bearer = { scheme: 'bearer', realm: 'https://auth.example.com/token' }

describe('parseChallenge', () => {
  it.each([
    ['Bearer realm="https://auth.example.com/token",service="a registry"', { ...bearer, service: 'a registry' }],
    ['bearer REALM="https://auth.example.com/token" , scope="repository:a:pull,push"', bearer],
    ['Bearer realm=https://auth.example.com/token', bearer],
    ['Bearer realm="https://auth.example.com/token",service="a \\"b\\" \\\\"', { ...bearer, service: 'a "b" \\' }],
    ['Basic realm="x"', { scheme: 'basic' }],
    ['Basic', { scheme: 'basic' }],
    ['Basic realm="Bearer", Bearer realm="https://auth.example.com/token"', bearer],
    ['Negotiate, Basic realm="x"', { scheme: 'basic' }],
    ['Bearer service="a", Basic realm="x"', { scheme: 'basic' }],
    ['Bearer realm=""', undefined],
    ['Negotiate', undefined],
    ['', undefined],
    ['"Basic', { scheme: 'basic' }],
  ])('reads %s', (header, challenge) => {
    expect(parseChallenge(header)).toEqual(challenge)
  })

  it('takes no longer for a header that is made to be slow', () => {
    const header = `Bearer realm="${'\\"'.repeat(8_000)}`
    const began = performance.now()
    parseChallenge(header)
    expect(performance.now() - began).toBeLessThan(1_000)
  })
})
