/**
 * The text as one line of at most so many UTF-16 units, without control and format characters: nobody can put a line of their own into
 * a log, a sentence or a commit's trailers. No character is cut in half, for half of one can be neither signed nor written.
 */
export function oneLine(text: string, longest: number): string {
  const line = text
    .toWellFormed()
    .replace(/[\s\p{C}]+/gu, ' ')
    .trim()
  const cut = line.slice(0, longest)
  return cut.isWellFormed() ? cut : cut.slice(0, -1)
}
