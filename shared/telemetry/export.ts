import { randomUUID } from 'node:crypto'
import { context, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { type ExportResult, ExportResultCode, W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { environment } from '../config.ts'
import type { Log } from '../log.ts'
import { toOtlp } from './otlp-metrics.ts'

/**
 * The SDK of OpenTelemetry: what it takes to load is paid by those alone who have said where to send to. Where and with which
 * headers, it reads itself from its own variables, as its specification has them; how often is for who starts it to read.
 */

export interface Exporting {
  /** Sends what is there, as far as that takes no longer than the pod has. */
  flush(): Promise<void>
}

/** How long nothing more is said of an export that goes on failing, in milliseconds: spans are tried again every few seconds. */
const silence = 60_000

/** How long the end of a process waits for what is not sent yet, in milliseconds. */
const patience = 3_000

let started: Exporting | undefined

/** Begins to trace and to send, for this process; whoever asks again is a part of what has begun. */
export function startExport(name: string, log: Pick<Log, 'warn'>): Exporting {
  started ??= start(name, log)
  return started
}

function start(name: string, log: Pick<Log, 'warn'>): Exporting {
  const resource = resourceFromAttributes({
    ...{ 'service.name': name, 'service.namespace': 'drover' },
    // Each process counts for itself: under one name their numbers would be one series that jumps from one to the other. Not the
    // Pod's name, which a container that is started anew shares with the one before it.
    'service.instance.id': randomUUID(),
  }).merge(detectResources({ detectors: [envDetector] }))
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  const spans = new TracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor({ exporter: telling(new OTLPTraceExporter(), 'traces', log) })],
  })
  trace.setGlobalTracerProvider(spans)
  const exportIntervalMillis = interval()
  const reader = new PeriodicExportingMetricReader({
    exportIntervalMillis,
    exportTimeoutMillis: Math.min(exportIntervalMillis, 30_000),
    exporter: telling(new OTLPMetricExporter(), 'metrics', log),
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

/** How often numbers are sent, in milliseconds: a minute, as OpenTelemetry has it, where nothing that makes sense is said. */
function interval(): number {
  const given = Number(environment()['OTEL_METRIC_EXPORT_INTERVAL'])
  return given >= 1 && given <= 3_600_000 ? given : 60_000
}

interface Exporter<T> {
  export(given: T, done: (result: ExportResult) => void): void
}

/**
 * The exporter, which says in the log when it fails: the SDK tells nobody of spans that are lost. What the collector said
 * stays unsaid, for it may say back the headers that it was asked with, and they may hold a token.
 */
function telling<T, E extends Exporter<T>>(exporter: E & Exporter<T>, what: string, log: Pick<Log, 'warn'>): E {
  const send = exporter.export.bind(exporter)
  let saidAt = Number.NEGATIVE_INFINITY
  exporter.export = (given, done) =>
    send(given, (result) => {
      if (result.code === ExportResultCode.FAILED && performance.now() - saidAt >= silence) {
        saidAt = performance.now()
        log.warn({ exports: what }, `Cannot export ${what}: ${whyOf(result.error)}`)
      }
      done(result)
    })
  return exporter
}

/** The status that was answered, or the code by which Node names what is wrong with the connection. */
function whyOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown }
  if (typeof code === 'number') return `the collector answered ${code}`
  return typeof code === 'string' && /^[A-Z_]+$/.test(code) ? `it cannot be reached (${code})` : 'it does not take them'
}
