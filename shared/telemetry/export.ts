import { context, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { toOtlp } from './otlp-metrics.ts'

/**
 * The SDK of OpenTelemetry: what it takes to load is paid by those alone who have said where to send to. Where, with which
 * headers and how often, it reads itself from its own variables, as its specification has them.
 */

export interface Exporting {
  /** Sends what is there, as far as that takes no longer than the pod has. */
  flush(): Promise<void>
}

/** How long the end of a process waits for what is not sent yet, in milliseconds. */
const patience = 3_000

let started: Exporting | undefined

/** Begins to trace and to send, for this process; whoever asks again is a part of what has begun. */
export function startExport(name: string): Exporting {
  started ??= start(name)
  return started
}

function start(name: string): Exporting {
  const resource = resourceFromAttributes({ 'service.name': name, 'service.namespace': 'drover' }).merge(
    detectResources({ detectors: [envDetector] }),
  )
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  const spans = new TracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  })
  trace.setGlobalTracerProvider(spans)
  const reader = new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter(),
    metricProducers: [
      { collect: async () => ({ resourceMetrics: { resource, scopeMetrics: [await toOtlp()] }, errors: [] }) },
    ],
  })
  const metrics = new MeterProvider({ resource, readers: [reader] })
  return {
    async flush() {
      const sent = Promise.allSettled([spans.forceFlush(), metrics.forceFlush()])
      await Promise.race([sent, new Promise((done) => setTimeout(done, patience).unref())])
    },
  }
}
