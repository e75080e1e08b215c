import type { Place } from '../chain/set-ups.ts'

/**
 * A text as it would be in any other run of the same kind: in the place of names, ids, times and addresses stands what they are.
 * The order counts: what is longer first.
 */
export function normal(text: string, run: string, { namespace, name }: Place): string {
  return patterns.reduce(
    (rest, [pattern, word]) => rest.replace(pattern, word),
    text.replaceAll(run, 'RUN').replaceAll(namespace, 'NAMESPACE').replaceAll(name, 'NAME'),
  )
}

const hex = (digits: number) => `[0-9a-f]{${digits}}`

const patterns: readonly [RegExp, string][] = [
  [new RegExp(`\\b${hex(8)}-${hex(4)}-${hex(4)}-${hex(4)}-${hex(12)}\\b`, 'g'), 'UUID'],
  [new RegExp(`\\b${hex(40)}\\b`, 'g'), 'OBJECT'],
  [new RegExp(`\\b${hex(20)}\\b`, 'g'), 'ID'],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, 'TIME'],
  [/\b\d{4}-\d\d-\d\d\b/g, 'DAY'],
  [/\barchive\/\d{4}\/\d\d-\d\d\//g, 'archive/DAY/'],
  [/\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, 'MAC'],
  [/\b([0-9a-f]\.){32}ip6\.arpa\b/g, 'REVERSE'],
  [/\b(\d{1,3}\.){4}in-addr\.arpa\b/g, 'REVERSE'],
  [/\bfd00[-:]20[-:][-:][0-9a-f]+\b/g, 'ADDRESS'],
  [/\b10\.20\.\d{1,3}\.\d{1,3}\b/g, 'ADDRESS'],
  // Parts of ids, in names of objects.
  [new RegExp(`-(?:${hex(8)}|${hex(6)})\\b`, 'g'), '-PART'],
  // Names are spread over folders by their hash.
  [new RegExp(`\\b(names|due/DAY|hub/placements)/${hex(2)}/`, 'g'), '$1/SPREAD/'],
  // Which of two clusters that fit a machine comes to.
  [/\bsite-[ab]\b/g, 'SITE'],
]

/** What a diff says, file by file in the order of what they are called now; blobs have other ids where a time is another. */
export function normalDiff(diff: string, run: string, place: Place): string[] {
  const files = diff.split(/^(?=diff --git )/m).filter((part) => part !== '')
  return files.map((file) => normal(file.replace(/^index .*\n/m, ''), run, place)).sort()
}
