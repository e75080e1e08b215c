const rfc3339 = /^(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/

/** An RFC 3339 time as Knative writes it: in UTC, to the nanosecond, without trailing zeros; undefined when it is none. */
export function toUtc(text: string): string | undefined {
  const found = rfc3339.exec(text)
  if (!found) return undefined
  const [, date = '', hour, minute, second, fraction = '', zone = 'Z'] = found
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59 || !isDate(date)) return undefined
  const utc = new Date(`${date}T${hour}:${minute}:${second}${zone}`)
  if (Number.isNaN(utc.getTime())) return undefined
  const nanoseconds = fraction.slice(0, 9).replace(/0+$/, '')
  return `${utc.toISOString().slice(0, 19)}${nanoseconds === '' ? '' : `.${nanoseconds}`}Z`
}

/** JavaScript takes the 30th of February for the 1st of March. */
function isDate(date: string): boolean {
  const day = new Date(`${date}T00:00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(date)
}
