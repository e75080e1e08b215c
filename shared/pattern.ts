import { RE2JS } from 're2js'
import { messageOf } from './errors.ts'
import { show } from './schema/show.ts'

/**
 * Regular expressions that people write into the fleet repository. RE2 takes time in proportion to the word, so no pattern
 * keeps all requests waiting, and no clock decides about one; V8's own engine has patterns that one word keeps busy for years.
 */

/** What is wrong with a pattern, as a sentence's end; undefined when it can be tried on any word. */
export function patternProblem(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern)
    return undefined
  } catch (error) {
    const why = messageOf(error).replace('error parsing regexp: ', '')
    return `is ${show(pattern)}, wanted a regular expression as RE2 takes it: ${why}`
  }
}

/** Whether a pattern, which has no problem, is found in a word. */
export const isFound = (pattern: string, word: string): boolean => RE2JS.compile(pattern).matcher(word).find()
