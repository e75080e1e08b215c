import { expect } from 'vitest'
import { registry } from '../../shared/telemetry/metrics.ts'

type Labels = Record<string, string | number>

interface Value {
  value: number
  labels: Record<string, unknown>
  metricName?: string
}

/** The sum of the series that have these labels; of a histogram, of what it has measured. */
async function sumOf(name: string, labels: Labels): Promise<number> {
  const { values } = (await registry.getSingleMetric(name)?.get()) ?? expect.fail(`there is no metric ${name}`)
  return (values as Value[])
    .filter(({ metricName = name }) => !/_(?:bucket|count)$/.test(metricName))
    .filter((one) => Object.entries(labels).every(([key, value]) => one.labels[key] === value))
    .reduce((sum, { value }) => sum + value, 0)
}

/** By how much something that is done makes them grow. */
export async function growth(name: string, labels: Labels, act: () => unknown): Promise<number> {
  const before = await sumOf(name, labels)
  await act()
  return (await sumOf(name, labels)) - before
}
