import { show } from './show.ts'

interface Field {
  what: string
  least: number
  most: number
  /** What stands for its numbers, from the least on. */
  names: string[]
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

const fields: Field[] = [
  { what: 'minute', least: 0, most: 59, names: [] },
  { what: 'hour', least: 0, most: 23, names: [] },
  { what: 'day of the month', least: 1, most: 31, names: [] },
  { what: 'month', least: 1, most: 12, names: months },
  { what: 'day of the week', least: 0, most: 6, names: days },
]

/**
 * What is wrong with the five fields of a cron schedule, a sentence for each. CDI would say it when the image is made and
 * pushed. What its parser reads as something else than it looks like, such as "*-5", is wrong here too.
 * https://github.com/robfig/cron/blob/v3.0.1/parser.go
 */
export function scheduleProblems(schedule: string): string[] {
  const texts = schedule.split(' ')
  return fields.flatMap((field, at) => {
    const text = texts[at] ?? ''
    return text.split(',').every((item) => isItem(item, field)) ? [] : [sentence(field, text)]
  })
}

function sentence({ what, least, most, names }: Field, text: string): string {
  const named = names.length > 0 ? ` or ${names.at(0)?.toUpperCase()} to ${names.at(-1)?.toUpperCase()}` : ''
  return `has the ${what} ${show(text)}, wanted numbers from ${least} to ${most}${named}, such as "1", "1-5" or "*/2"`
}

/** All of them, one or a range, and of those every so many. */
const itemPattern = /^(?:[*?]|(\w+)(?:-(\w+))?)(?:\/(\d{1,9}))?$/

function isItem(item: string, field: Field): boolean {
  const parts = itemPattern.exec(item)
  if (!parts) return false
  const [, first, last = first, step = '1'] = parts
  if (Number(step) < 1) return false
  if (first === undefined || last === undefined) return true
  const [from, to] = [numberOf(first, field), numberOf(last, field)]
  return field.least <= from && from <= to && to <= field.most
}

/** No number for a text that stands for none, and so it is in no range. */
function numberOf(text: string, { least, names }: Field): number {
  const at = names.indexOf(text.toLowerCase())
  if (at >= 0) return least + at
  return /^\d+$/.test(text) ? Number(text) : Number.NaN
}
