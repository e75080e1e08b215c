import { cpuSeconds } from './cpu.ts'

/** The value below which a share of the others lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** Milliseconds of the clock, and of the processor for this process and the ended ones that it had started. */
export interface Time {
  wall: number
  cpu: number
}

/** How long something takes; what comes after it counts for the processor alone, which knows of a child when that has ended. */
export async function timed(act: () => Promise<unknown>, after: () => Promise<unknown> = async () => undefined) {
  const cpu = cpuSeconds()
  const began = performance.now()
  await act()
  const wall = performance.now() - began
  await after()
  return { wall, cpu: (cpuSeconds() - cpu) * 1_000 }
}

/** Takes samples of both in turns, so that whatever else the machine does meets both alike; the first pair does not count. */
export async function inTurns<T>(
  count: number,
  drover: (index: number) => Promise<T>,
  reference: (index: number) => Promise<T>,
): Promise<{ drover: T[]; reference: T[] }> {
  const samples = { drover: [] as T[], reference: [] as T[] }
  for (let index = 0; index <= count; index++) {
    const pair = { drover: await drover(index), reference: await reference(index) }
    if (index === 0) continue
    samples.drover.push(pair.drover)
    samples.reference.push(pair.reference)
  }
  return samples
}

/** Both clocks of such samples: that of the wall is judged, that of the processor shows what a busy machine hides. */
export const clocks = ({ drover, reference }: { drover: Time[]; reference: Time[] }) => ({
  wall: { drover: drover.map(({ wall }) => wall), reference: reference.map(({ wall }) => wall) },
  cpu: { drover: drover.map(({ cpu }) => cpu), reference: reference.map(({ cpu }) => cpu) },
})
