import { expect, it } from 'vitest'
import { nearest } from '../../shared/nearest.ts'

it.each([
  ['git_urll', 'git_url'],
  ['gti_url', 'git_url'],
  ['git_brnch', 'git_branch'],
  ['colour', undefined],
  ['', undefined],
])('the word nearest to "%s" is %s', (given, word) => {
  expect(nearest(given, ['git_branch', 'git_url', 'kubeconfig'])).toBe(word)
})

it('nothing is near where there are no words', () => {
  expect(nearest('git_url', [])).toBeUndefined()
})
