import { expect, it } from 'vitest'
import { nearest } from '../../shared/nearest.ts'

it.each([
  ['git_urll', 'git_url'],
  ['gti_url', 'git_url'],
  ['git_brnch', 'git_branch'],
  ['Git_Branch', 'git_branch'],
  ['tempalte', 'template'],
  ['Template', 'template'],
  ['sizes', 'size'],
  ['sise', 'size'],
  ['colour', undefined],
  ['xyz', undefined],
  ['', undefined],
  ['t'.repeat(1000), undefined],
])('the word nearest to "%s" is %s', (given, word) => {
  expect(nearest(given, ['git_branch', 'git_url', 'kubeconfig', 'template', 'namespace', 'size'])).toBe(word)
})

it('nothing is near where there are no words', () => {
  expect(nearest('git_url', [])).toBeUndefined()
})
