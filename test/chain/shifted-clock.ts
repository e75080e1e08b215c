/** Loaded before a function, as `shifted-clock.ts?by=-60000`: its clock is so many milliseconds ahead, or behind. */
const shift = Number(new URL(import.meta.url).searchParams.get('by'))
const TrueDate = Date

globalThis.Date = class extends TrueDate {
  constructor(...given: unknown[]) {
    super(...((given.length === 0 ? [TrueDate.now() + shift] : given) as [number]))
  }

  static override now(): number {
    return TrueDate.now() + shift
  }
} as DateConstructor
