/** Nobody misspells a word that is longer, and to measure one takes long. */
const longest = 64

/** The word that whoever wrote this one most likely meant: a change or two away, in a long word one for every three characters. */
export function nearest(given: string, words: readonly string[]): string | undefined {
  if (given.length > longest) return undefined
  const lower = given.toLowerCase()
  const measured = words.map((word) => ({ word, changes: changesBetween(lower, word.toLowerCase()) }))
  const [best] = measured.sort((a, b) => a.changes - b.changes)
  return best && best.changes <= Math.max(2, Math.floor(best.word.length / 3)) ? best.word : undefined
}

/** How many characters have to be put in, taken out or replaced to make one text of the other (Levenshtein). */
function changesBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
