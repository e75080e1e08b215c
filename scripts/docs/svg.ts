/** Words at a place of a drawing. */
export const text = (x: number, y: number, words: string, kind = '') =>
  `<text${kind ? ` class="${kind}"` : ''} x="${x}" y="${y}">${escaped(words)}</text>`

export const escaped = (words: string) => words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
