import { describe, expect, it } from 'vitest'
import { checkFolder, checkPath } from '../../../../shared/clients/git/path.ts'

describe('checkPath', () => {
  it.each(['a', 'a/b.yaml', '.gitignore', 'a/.github/x', 'ipam/prod/2001:db8::1.yaml', 'ü', '...', 'a b', '-x', '"q"'])(
    'allows %j',
    (path) => {
      expect(() => checkPath(path)).not.toThrow()
    },
  )

  it.each([
    ['', 'it has an empty segment'],
    ['/a', 'it has an empty segment'],
    ['a/', 'it has an empty segment'],
    ['a//b', 'it has an empty segment'],
    ['.', 'it has the segment "."'],
    ['a/./b', 'it has the segment "."'],
    ['..', 'it has the segment ".."'],
    ['a/../../b', 'it has the segment ".."'],
    ['.git', "it leads into Git's own folder"],
    ['a/.GIT/config', "it leads into Git's own folder"],
    ['.git./config', "it leads into Git's own folder"],
    ['.git /config', "it leads into Git's own folder"],
    ['git~1/config', "it leads into Git's own folder"],
    ['.g\u200cit/config', "it leads into Git's own folder"],
    ['.gi\ufefft', "it leads into Git's own folder"],
    ['a\\b', 'it holds a control character or a backslash'],
    ['a\nb', 'it holds a control character or a backslash'],
    ['a\0b', 'it holds a control character or a backslash'],
    ['a\u007fb', 'it holds a control character or a backslash'],
    ['a\u0085b', 'it holds a control character or a backslash'],
    ['a\u2028b', 'it holds a control character or a backslash'],
    ['a\ud800b', 'it is not well-formed Unicode'],
    ['a'.repeat(1_025), 'it has 1025 characters, at most 1024 are allowed'],
  ])('refuses %j', (path, fault) => {
    const message = `Cannot use the path ${JSON.stringify(path.slice(0, 200))} in the fleet repository: ${fault}`
    expect(() => checkPath(path)).toThrow(expect.objectContaining({ reason: 'broken', message }))
  })
})

describe('checkFolder', () => {
  it('allows the root, which a file cannot be', () => {
    expect(() => checkFolder('')).not.toThrow()
    expect(() => checkFolder('..')).toThrow('it has the segment ".."')
  })
})
