/** How long what a run has replaced is kept where its request says nothing. */
export const keptDays = 7

const day = 24 * 60 * 60_000

/** The time that is so many days after another one, RFC 3339. */
export const daysAfter = (time: string, days: number): string => new Date(Date.parse(time) + days * day).toISOString()

/** The day of a time, in UTC, as folders are called. */
export const dayOf = (time: Date) => time.toISOString().slice(0, 10)
export const isDay = (name: string) => /^\d{4}-\d{2}-\d{2}$/.test(name)
