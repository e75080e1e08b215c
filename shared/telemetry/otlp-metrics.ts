import { type HrTime, ValueType } from '@opentelemetry/api'
import { hrTime } from '@opentelemetry/core'
import {
  AggregationTemporality,
  type DataPoint,
  DataPointType,
  type Histogram,
  type MetricData,
} from '@opentelemetry/sdk-metrics'
import type { MetricObjectWithValues, MetricValue } from 'prom-client'
import { registry } from './metrics.ts'

/** The instruments as OTLP has them: the same numbers under the same names as on `/metrics`. */

type Labels = Record<string, string | number>

/** A value of a histogram also says which of its series it is of; the library's type leaves that out. */
type Value = MetricValue<string> & { metricName?: string }

const began = hrTime()

/** What is measured, as of now. */
export async function toOtlp(): Promise<{ scope: { name: string }; metrics: MetricData[] }> {
  const found = (await registry.getMetricsAsJSON()) as MetricObjectWithValues<Value>[]
  const now = hrTime()
  return { scope: { name: 'drover' }, metrics: found.map((one) => toData(one, now)) }
}

function toData({ name, help, type, values }: MetricObjectWithValues<Value>, endTime: HrTime): MetricData {
  const unit = name.endsWith('_seconds') ? 's' : ''
  const common = {
    descriptor: { name, description: help, unit, valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  }
  const point = <T>(attributes: Labels, value: T): DataPoint<T> => ({ startTime: began, endTime, attributes, value })
  if (String(type) === 'histogram') {
    const dataPoints = seriesOf(values).map(({ labels, histogram }) => point(labels, histogram))
    return { ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints }
  }
  const dataPoints = values.map(({ labels, value }) => point(labels as Labels, value))
  if (String(type) === 'gauge') return { ...common, dataPointType: DataPointType.GAUGE, dataPoints }
  return { ...common, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints }
}

/** The histograms that the values of one instrument stand for, by their labels. Prometheus counts in each bucket all below it too. */
function seriesOf(values: readonly Value[]): { labels: Labels; histogram: Histogram }[] {
  const series = new Map<string, { labels: Labels; bounds: number[]; totals: number[]; sum: number; count: number }>()
  for (const { labels, value, metricName = '' } of values) {
    const { le, ...own } = labels as Labels
    const key = JSON.stringify(own)
    const one = series.get(key) ?? { labels: own, bounds: [], totals: [], sum: 0, count: 0 }
    series.set(key, one)
    if (metricName.endsWith('_sum')) one.sum = value
    else if (metricName.endsWith('_count')) one.count = value
    else {
      if (le !== '+Inf') one.bounds.push(Number(le))
      one.totals.push(value)
    }
  }
  return [...series.values()].map(({ labels, bounds, totals, sum, count }) => {
    const counts = totals.map((total, index) => total - (totals[index - 1] ?? 0))
    return { labels, histogram: { buckets: { boundaries: bounds, counts }, sum, count } }
  })
}
