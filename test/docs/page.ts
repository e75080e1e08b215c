import { readFileSync } from 'node:fs'

/** A page, by its path in the repository. */
export const page = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

/** What is between a heading and the next one of its rank. */
export function part(text: string, heading: string): string {
  const from = text.indexOf(`\n${heading}\n`)
  if (from < 0) throw new Error(`Cannot find "${heading}" in the page`)
  const rank = `\n${heading.split(' ')[0]} `
  const to = text.indexOf(rank, from + heading.length)
  return text.slice(from, to < 0 ? undefined : to)
}

/** The words that stand as code in the first column of a part's tables. */
export const firstColumn = (text: string): string[] =>
  [...text.matchAll(/^\| (`[^|]*`) *\|/gm)].flatMap(([, cell = '']) => codeIn(cell))

/** The words that stand as code. */
export const codeIn = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word)
