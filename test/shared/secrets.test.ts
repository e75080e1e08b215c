import { once } from 'node:events'
import { Writable } from 'node:stream'
import pino from 'pino'
import { describe, expect, it } from 'vitest'
import { keepSecret, withoutSecrets } from '../../shared/secrets.ts'

describe('a secret that was given', () => {
  it.each([
    ['as it is', 'hunter2-hunter2', 'it said hunter2-hunter2!'],
    ['in an address', 'p@ss/word:1', 'https://x:p%40ss%2Fword%3A1@example.com'],
    ['in JSON', 'quote"back\\slash', '{"token":"quote\\"back\\\\slash"}'],
    ['within another one', 'hunter2-hunter2-longer', 'hunter2-hunter2-longer'],
  ])('is taken out of what is said %s', (_, secret, text) => {
    keepSecret('hunter2-hunter2')
    expect(keepSecret(secret)).toBe(secret)
    const said = withoutSecrets(text)
    expect(said).toContain('[redacted]')
    expect(said).not.toMatch(/hunter2|word|slash/)
  })

  it('of a few letters would take words out of sentences, and stays', () => {
    keepSecret('to')
    expect(withoutSecrets('Cannot go on to it')).toBe('Cannot go on to it')
  })

  it('is forgotten once hundreds have followed it, not while it is used', () => {
    keepSecret('the-one-in-use')
    for (let other = 0; other < 1_000; other++) {
      keepSecret(`token-of-an-hour-${other}`)
      keepSecret('the-one-in-use')
    }
    expect(withoutSecrets('the-one-in-use token-of-an-hour-0')).toBe('[redacted] token-of-an-hour-0')
  })

  it('is in no line of a log, whatever an error quotes', async () => {
    keepSecret('bearer-of-the-cluster')
    const lines: string[] = []
    const sink = new Writable({ write: (chunk, _, done) => done(void lines.push(String(chunk))) })
    const log = pino({ hooks: { streamWrite: withoutSecrets } }, sink)
    log.error({ err: new Error('Body: "authorization: Bearer bearer-of-the-cluster"') }, 'Cannot ask the cluster')
    sink.end()
    await once(sink, 'finish')
    expect(lines.join('')).toContain('Bearer [redacted]')
    expect(lines.join('')).not.toContain('bearer-of-the-cluster')
  })
})
