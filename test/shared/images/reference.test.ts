import { describe, expect, it } from 'vitest'
import { parseRepository, parseTag } from '../../../shared/images/reference.ts'

describe('parseRepository', () => {
  it.each([
    ['registry.example.com/golden/rhel9', 'registry.example.com', 'golden/rhel9'],
    ['registry.example.com:5000/rhel9', 'registry.example.com:5000', 'rhel9'],
    ['localhost/a', 'localhost', 'a'],
    ['[fd00::17]:5000/a', '[fd00::17]:5000', 'a'],
    ['10.20.0.17:5000/a-b/c_d/e.f/g--h/i__j', '10.20.0.17:5000', 'a-b/c_d/e.f/g--h/i__j'],
  ])('reads %s', (text, host, path) => {
    expect(parseRepository(text)).toEqual({ host, path })
  })

  it.each([
    ['', 'it has no path'],
    ['registry.example.com', 'it has no path'],
    ['golden/rhel9', 'it begins with "golden", wanted the registry\'s host with its domain or port'],
    ['registry.example.com/', '"" is not a part of a path'],
    ['registry.example.com//a', '"" is not a part of a path'],
    ['registry.example.com/a/../b', '".." is not a part of a path'],
    ['registry.example.com/a/%2e%2e/b', '"%2e%2e" is not a part of a path'],
    ['registry.example.com/a:v1', '"a:v1" is not a part of a path'],
    ['registry.example.com/a@sha256:0', '"a@sha256:0" is not a part of a path'],
    ['registry.example.com/a?b', '"a?b" is not a part of a path'],
    ['registry.example.com/a#b', '"a#b" is not a part of a path'],
    ['registry.example.com/a\n', '"a\n" is not a part of a path'],
    ['registry.example.com/Golden', '"Golden" is not a part of a path'],
    ['registry.example.com/-a', '"-a" is not a part of a path'],
    ['registry.example.com/a___b', '"a___b" is not a part of a path'],
    ['https://registry.example.com/a', '"https:" is not a host'],
    ['user:pass@registry.example.com/a', '"user:pass@registry.example.com" is not a host'],
    ['registry.example.com\\@evil.example/a', 'is not a host'],
    ['registry..example.com/a', '"registry..example.com" is not a host'],
    [`registry.example.com/${'a'.repeat(250)}`, 'it has 271 characters, wanted at most 255'],
  ])('refuses %j', (text, sentence) => {
    expect(() => parseRepository(text)).toThrow(sentence)
  })
})

describe('parseTag', () => {
  it.each(['v1', '2026-01-01', '_x', 'A.b-c', 'a'.repeat(128)])('takes %s', (tag) => {
    expect(parseTag(tag)).toBe(tag)
  })

  it.each(['', '.v1', '-v1', 'v/1', '../v1', 'v 1', 'v1\n', 'a'.repeat(129)])('refuses %j', (tag) => {
    expect(() => parseTag(tag)).toThrow(`Cannot push tag ${JSON.stringify(tag)}: it is not a tag`)
  })
})
