const iso = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/

/** The milliseconds of an ISO 8601 duration of weeks to seconds, such as PT0.2S; undefined when the text is none. */
export function parseDuration(text: string): number | undefined {
  const found = iso.exec(text)
  const parts = found?.slice(1)
  if (parts === undefined || parts.every((part) => part === undefined) || text.endsWith('T')) return undefined
  const [weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = parts.map((part) => Number(part ?? 0))
  return ((((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000
}
