/** How values and problems look in a sentence that a requester reads. */

const longestValue = 60
const mostProblems = 20
const longestMessage = 2000

/** A value as people may see it in a log or a terminal: on one line, shortened, nothing in it that moves the cursor. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return shorten(printable(text), longestValue)
}

/** Control, bidirectional and zero-width characters, written as escapes. */
const printable = (text: string) =>
  text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const hex = character.codePointAt(0)?.toString(16).padStart(4, '0')
    return hex?.length === 4 ? `\\u${hex}` : `\\u{${hex}}`
  })

/** Cuts a text to a length without cutting a character in two, and shows that it did. */
function shorten(text: string, length: number): string {
  return text.length <= length
    ? text
    : `${text
        .slice(0, length - 1)
        .toWellFormed()
        .replace(/\ufffd$/, '')}…`
}

/** Where a value is: `disks[0].size`; a key that is not a plain word stands in quotes. */
export function pathOf(segments: readonly string[]): string {
  return segments.reduce((path, segment) => {
    if (/^\d+$/.test(segment)) return `${path}[${segment}]`
    if (!/^[\w.-]{1,64}$/.test(segment)) return `${path}[${show(segment)}]`
    return path ? `${path}.${segment}` : segment
  }, '')
}

/** One message of many problems: each once, the first twenty, short enough for an event and a person. */
export function summary(what: string, problems: readonly string[]): string {
  const all = [...new Set(problems)]
  const first = all.slice(0, mostProblems)
  const fits = (count: number) => sentence(what, first.slice(0, count), all.length - count).length <= longestMessage
  let count = first.length
  while (count > 1 && !fits(count)) count--
  return shorten(sentence(what, first.slice(0, count), all.length - count), longestMessage)
}

const sentence = (what: string, problems: readonly string[], more: number) =>
  `${what}: ${problems.join('; ')}${more > 0 ? `; and ${more} more` : ''}`

/** "a", "b" and 3 more: names that there are, for a sentence. */
export function listed(names: readonly string[], most = 10): string {
  const shown = names.slice(0, most).map(show)
  const more = names.length - shown.length
  if (more > 0) return `${shown.join(', ')} and ${more} more`
  return shown.length < 2 ? (shown[0] ?? 'none') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`
}
